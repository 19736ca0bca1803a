// One of the two apps, of the same package: `work` has the queues and the clocks, `api` faces HTTP.
param environmentName string
param token string
param location string
@allowed(['public', 'private'])
param network string
@allowed(['work', 'api'])
param serves string
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string
param identityId string
param clientId string
param hostAccount string
param packageUri string
param insightsConnection string
param logsId string
param blobUri string
param queueUri string
param tableUri string
param workspaceName string
param topicEndpoint string
param endpointIdentityId string
param apiAudience string
@secure()
param alertChannels string
@secure()
param moreSettings object
@description('Of the virtual network; empty: none.')
param subnetId string

var private = network == 'private'
var tags = { 'azd-env-name': environmentName }

// One plan for each app: Flex Consumption takes no second one.
resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${serves}-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: false }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: 'func-${serves}-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': serves })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    virtualNetworkSubnetId: private ? subnetId : null
    outboundVnetRouting: { applicationTraffic: private, contentShareTraffic: private, imagePullTraffic: private }
    siteConfig: {
      minTlsVersion: '1.2'
      http20Enabled: true
      cors: { allowedOrigins: [] }
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUri
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      scaleAndConcurrency: {
        maximumInstanceCount: 40
        instanceMemoryMB: 2048
        triggers: { http: { perInstanceConcurrency: 16 } }
      }
      runtime: { name: 'python', version: pythonVersion }
    }
  }
}

var common = {
  AzureWebJobsStorage__accountName: hostAccount
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
  PYTHON_ISOLATE_WORKER_DEPENDENCIES: '1'
  CAMPANHA_STORAGE__blobServiceUri: blobUri
  CAMPANHA_STORAGE__queueServiceUri: queueUri
  CAMPANHA_STORAGE__tableServiceUri: tableUri
  CAMPANHA_STORAGE__credential: 'managedidentity'
  CAMPANHA_STORAGE__clientId: clientId
  LEDGER_TABLE: 'campanha'
  SERVES: serves
  AZURE_CLIENT_ID: clientId
  AZURE_SUBSCRIPTION_ID: subscription().subscriptionId
  AZURE_RESOURCE_GROUP: resourceGroup().name
  AZUREML_WORKSPACE: workspaceName
  EVENT_TOPIC_ENDPOINT: topicEndpoint
  TELEMETRY: 'azure-monitor'
  ENDPOINT_AUTH: 'entra'
}
// An empty queue is looked at every ten seconds: at eight queues some 70,000 looks a day while an instance is up.
var ofWork = {
  AzureFunctionsJobHost__extensions__queues__maxPollingInterval: '00:00:10'
  SERVING_APP_INSIGHTS: 'on'
  ENDPOINT_IDENTITY: endpointIdentityId
  ALERT_CHANNELS: alertChannels
  PUBLIC_URL: 'https://func-api-${token}.azurewebsites.net'
  SCORE_SCHEDULE: '0 */5 * * * *'
  RECONCILE_SCHEDULE: '0 * * * * *'
  RETRAIN_SCHEDULE: '0 0 3 * * 1'
}
var ofApi = {
  ENTRA_TENANT_ID: tenant().tenantId
  ENTRA_AUDIENCE: apiAudience
  HTTP_UPLOADS: 'refused'
  TRUST_FORWARDED_FOR: 'true'
}

// Ours come last, so that they stay.
resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(moreSettings, common, serves == 'work' ? ofWork : ofApi)
}

resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource appLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: app
  properties: {
    workspaceId: logsId
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = app.id
output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
