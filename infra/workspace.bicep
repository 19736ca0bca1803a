// The Azure Machine Learning workspace, and what it stands on: storage, vault, registry, a cluster.
param environmentName string
param token string
param location string
@allowed(['public', 'private'])
param network string
param logsId string
param insightsId string
param clusterIdentityId string
param clusterSize string
param clusterMost int
param dataAccountId string
param dataAccountName string

var private = network == 'private'
var resources = loadJsonContent('resources.json')
var tags = { 'azd-env-name': environmentName }
// A cluster that is there is not changed by a deployment: another size is another cluster.
var computeName = 'cpu-${uniqueString(clusterSize)}'

resource storage 'Microsoft.Storage/storageAccounts@2026-09-01' = {
  name: 'stml${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    isHnsEnabled: false
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: private ? 'Deny' : 'Allow', bypass: 'AzureServices' }
  }
}

resource vault 'Microsoft.KeyVault/vaults@2026-05-15' = {
  name: 'kv-${token}'
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    enablePurgeProtection: true
    softDeleteRetentionInDays: 90
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: private ? 'Deny' : 'Allow', bypass: 'AzureServices' }
  }
}

// Only a Premium registry takes a private endpoint.
resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: 'cr${token}'
  location: location
  tags: tags
  sku: { name: private ? 'Premium' : 'Standard' }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkRuleBypassOptions: 'AzureServices'
  }
}

resource workspace 'Microsoft.MachineLearningServices/workspaces@2026-09-01' = {
  name: 'mlw-${token}'
  location: location
  tags: tags
  sku: { name: 'Basic', tier: 'Basic' }
  identity: { type: 'SystemAssigned' }
  properties: {
    friendlyName: 'Campanha'
    storageAccount: storage.id
    keyVault: vault.id
    applicationInsights: insightsId
    containerRegistry: registry.id
    systemDatastoresAuthMode: 'Identity'
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    managedNetwork: { isolationMode: private ? 'AllowOnlyApprovedOutbound' : 'Disabled' }
    imageBuildCompute: private ? computeName : null
    v1LegacyMode: false
  }
}

resource cluster 'Microsoft.MachineLearningServices/workspaces/computes@2026-09-01' = {
  parent: workspace
  name: computeName
  location: location
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${clusterIdentityId}': {} } }
  properties: {
    computeType: 'AmlCompute'
    disableLocalAuth: true
    properties: {
      vmSize: clusterSize
      vmPriority: 'Dedicated'
      enableNodePublicIp: !private
      remoteLoginPortPublicAccess: 'Disabled'
      scaleSettings: { minNodeCount: 0, maxNodeCount: clusterMost, nodeIdleTimeBeforeScaleDown: 'PT5M' }
    }
  }
}

// Approves the private endpoint below: since 2025-04-30 a workspace gives itself this role only on what it stands on.
module ownRoles 'roles/account.bicep' = [
  for each in (private ? resources.privateNetwork.account : []): {
    params: {
      account: dataAccountName
      principal: workspace.identity.principalId
      principalType: 'ServicePrincipal'
      role: resources.roleIds[each.role]
    }
  }
]

// Out of the managed network: to the data account, and to where images get their libraries from.
resource toData 'Microsoft.MachineLearningServices/workspaces/outboundRules@2026-09-01' = if (private) {
  parent: workspace
  name: 'data'
  properties: {
    type: 'PrivateEndpoint'
    category: 'UserDefined'
    destination: { serviceResourceId: dataAccountId, subresourceTarget: 'blob', sparkEnabled: false }
  }
  dependsOn: [ownRoles]
}

resource toLibraries 'Microsoft.MachineLearningServices/workspaces/outboundRules@2026-09-01' = if (private) {
  parent: workspace
  name: 'pypi'
  properties: { type: 'FQDN', category: 'UserDefined', destination: 'pypi.org' }
  dependsOn: [toData]
}

resource toFiles 'Microsoft.MachineLearningServices/workspaces/outboundRules@2026-09-01' = if (private) {
  parent: workspace
  name: 'pythonhosted'
  properties: { type: 'FQDN', category: 'UserDefined', destination: '*.pythonhosted.org' }
  dependsOn: [toLibraries]
}

resource toConda 'Microsoft.MachineLearningServices/workspaces/outboundRules@2026-09-01' = if (private) {
  parent: workspace
  name: 'conda'
  properties: { type: 'FQDN', category: 'UserDefined', destination: '*.anaconda.org' }
  dependsOn: [toFiles]
}

resource workspaceLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: workspace
  properties: {
    workspaceId: logsId
    logs: [
      { category: 'AmlComputeJobEvent', enabled: true }
      { category: 'AmlRunStatusChangedEvent', enabled: true }
      { category: 'AmlOnlineEndpointEventLog', enabled: true }
    ]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource vaultLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: vault
  properties: {
    workspaceId: logsId
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}

resource registryLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: registry
  properties: {
    workspaceId: logsId
    logs: [
      { category: 'ContainerRegistryLoginEvents', enabled: true }
      { category: 'ContainerRegistryRepositoryEvents', enabled: true }
    ]
  }
}

output id string = workspace.id
output name string = workspace.name
output computeName string = cluster.name
output storageId string = storage.id
output storageName string = storage.name
output vaultId string = vault.id
output registryId string = registry.id
output registryName string = registry.name
