// Event Grid: the topics of the data account and of the workspace, and the one that our own events are published to.
param environmentName string
param token string
param location string
@allowed(['public', 'private'])
param network string
param logsId string
param dataAccountId string
param workspaceId string

var private = network == 'private'
var tags = { 'azd-env-name': environmentName }

resource storageTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-storage-${token}'
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: { source: dataAccountId, topicType: 'Microsoft.Storage.StorageAccounts' }
}

resource workspaceTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-workspace-${token}'
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: { source: workspaceId, topicType: 'Microsoft.MachineLearningServices.Workspaces' }
}

resource outgoing 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: 'evgt-campanha-${token}'
  location: location
  tags: tags
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
  }
}

resource storageLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: storageTopic
  properties: {
    workspaceId: logsId
    logs: [{ category: 'DeliveryFailures', enabled: true }]
  }
}

resource workspaceLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: workspaceTopic
  properties: {
    workspaceId: logsId
    logs: [{ category: 'DeliveryFailures', enabled: true }]
  }
}

resource outgoingLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: outgoing
  properties: {
    workspaceId: logsId
    logs: [{ category: 'DeliveryFailures', enabled: true }, { category: 'PublishFailures', enabled: true }]
  }
}

output storageId string = storageTopic.id
output storageName string = storageTopic.name
output storagePrincipalId string = storageTopic.identity.principalId
output workspaceId string = workspaceTopic.id
output workspaceName string = workspaceTopic.name
output workspacePrincipalId string = workspaceTopic.identity.principalId
output outgoingId string = outgoing.id
output outgoingName string = outgoing.name
output outgoingEndpoint string = outgoing.properties.endpoint
