// The workbook: what the app did, from its own telemetry.
param environmentName string
param location string
param insightsId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'campanha')
  location: location
  tags: { 'azd-env-name': environmentName }
  kind: 'shared'
  properties: {
    displayName: 'Campanha'
    category: 'workbook'
    sourceId: insightsId
    serializedData: loadTextContent('workbook.json')
  }
}
