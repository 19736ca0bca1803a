// Campanha in a subscription of its own group: what azd deploys. What there is stands in campanha.bicep.
targetScope = 'subscription'

@minLength(1)
@maxLength(32)
@description('The name that azd knows the environment by.')
param environmentName string
@description('The region of everything.')
param location string
@allowed(['public', 'private'])
@description('private: a virtual network, a private endpoint for each service, and no way in from the internet. No default: it is a decision.')
param network string
@description('Raised when names of an environment that was taken down are still held: vaults and workspaces are soft-deleted.')
param generation string
@description('Object id of whoever deploys, for the roles that the hook after deployment needs; empty: none.')
param deployerId string = ''
@allowed(['User', 'ServicePrincipal', 'Group'])
param deployerType string
@description('Who is told when an alert fires, and when the budget is used up.')
param alertEmail string
@description('Application (client) id, a GUID, that tokens for the HTTP API are made for.')
param apiAudience string
@secure()
@description('Where people are told of alerts: a reference to a secret that holds ALERT_CHANNELS, as docs/alerts.md says; empty: nowhere.')
param alertChannels string = ''
@secure()
@description('Settings of both apps, by name: what docs/settings.md has and the template does not set itself.')
param moreSettings object = {}
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string
@description('Size of the cluster\'s machines.')
param clusterSize string
@minValue(1)
@description('Machines that the cluster has at most.')
param clusterMost int
@description('First of a month, set once: it cannot be changed afterwards.')
param budgetStart string
@minValue(1)
@description('A month\'s, in the currency of the subscription.')
param budgetAmount int

var token = toLower(uniqueString(subscription().id, environmentName, location, generation))

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: { 'azd-env-name': environmentName }
}

module campanha 'campanha.bicep' = {
  scope: group
  params: {
    environmentName: environmentName
    token: token
    location: location
    network: network
    deployerId: deployerId
    deployerType: deployerType
    alertEmail: alertEmail
    apiAudience: apiAudience
    alertChannels: alertChannels
    moreSettings: moreSettings
    pythonVersion: pythonVersion
    clusterSize: clusterSize
    clusterMost: clusterMost
  }
}

resource budget 'Microsoft.Consumption/budgets@2026-06-01' = {
  name: 'budget-${environmentName}'
  properties: {
    category: 'Cost'
    amount: budgetAmount
    timeGrain: 'Monthly'
    timePeriod: { startDate: budgetStart }
    filter: { dimensions: { name: 'ResourceGroupName', operator: 'In', values: [group.name] } }
    notifications: {
      actual80: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: [alertEmail]
      }
      forecast100: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: [alertEmail]
      }
    }
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output AZUREML_WORKSPACE string = campanha.outputs.workspace
output AZUREML_COMPUTE string = campanha.outputs.compute
output CAMPANHA_STORAGE__blobServiceUri string = campanha.outputs.blobUri
output CAMPANHA_STORAGE__queueServiceUri string = campanha.outputs.queueUri
output CAMPANHA_STORAGE__tableServiceUri string = campanha.outputs.tableUri
output ENDPOINT_IDENTITY string = campanha.outputs.endpointIdentityId
output CAMPANHA_URL string = campanha.outputs.apiUrl
output SERVICE_WORK_NAME string = campanha.outputs.workApp
output SERVICE_API_NAME string = campanha.outputs.apiApp
