// Logs, telemetry, and who is told.
param environmentName string
param token string
param location string
param alertEmail string

var tags = { 'azd-env-name': environmentName }

resource logs 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: 'log-${token}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
    workspaceCapping: { dailyQuotaGb: 2 }
    features: { disableLocalAuth: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${token}'
  location: location
  tags: tags
  kind: 'web'
  properties: { Application_Type: 'web', WorkspaceResourceId: logs.id, DisableLocalAuth: true }
}

// The workspace's own: its deployments send with the instrumentation key, so local authentication stays on.
resource workspaceInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-ml-${token}'
  location: location
  tags: tags
  kind: 'web'
  properties: { Application_Type: 'web', WorkspaceResourceId: logs.id }
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'campanha'
    enabled: true
    emailReceivers: [{ name: 'owner', emailAddress: alertEmail, useCommonAlertSchema: true }]
  }
}

output logsId string = logs.id
output insightsId string = insights.id
output insightsName string = insights.name
output connection string = insights.properties.ConnectionString
output workspaceInsightsId string = workspaceInsights.id
output actionGroupId string = people.id
