// All of Campanha in one resource group. Which containers, queues, tables, subscriptions and roles there are stands in
// resources.json, which is made of shared/resources by `python docs/generated.py`.

param environmentName string
@minLength(8)
@description('Makes names unique.')
param token string
param location string
@allowed(['public', 'private'])
param network string
param deployerId string
@allowed(['User', 'ServicePrincipal', 'Group'])
param deployerType string
param alertEmail string
param apiAudience string
@secure()
param alertChannels string
@secure()
param moreSettings object
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string
param clusterSize string
param clusterMost int

var private = network == 'private'
var resources = loadJsonContent('resources.json')
var groupId = resourceGroup().id
var tags = { 'azd-env-name': environmentName }

// ---- who acts -------------------------------------------------------------------------------------------------

resource work 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-work-${token}'
  location: location
  tags: tags
}

resource api 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-api-${token}'
  location: location
  tags: tags
}

resource cluster 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-cluster-${token}'
  location: location
  tags: tags
}

resource endpoint 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-endpoint-${token}'
  location: location
  tags: tags
}

// ---- where it happens -----------------------------------------------------------------------------------------

module monitoring 'monitoring.bicep' = {
  params: {
    environmentName: environmentName
    token: token
    location: location
    alertEmail: alertEmail
  }
}

module data 'data-storage.bicep' = {
  params: {
    environmentName: environmentName
    token: token
    location: location
    network: network
    logsId: monitoring.outputs.logsId
  }
}

module workHost 'host-storage.bicep' = {
  params: {
    environmentName: environmentName
    accountName: 'stwork${token}'
    location: location
    network: network
    logsId: monitoring.outputs.logsId
  }
}

module apiHost 'host-storage.bicep' = {
  params: {
    environmentName: environmentName
    accountName: 'stapi${token}'
    location: location
    network: network
    logsId: monitoring.outputs.logsId
  }
}

module workspace 'workspace.bicep' = {
  params: {
    environmentName: environmentName
    token: token
    location: location
    network: network
    logsId: monitoring.outputs.logsId
    insightsId: monitoring.outputs.workspaceInsightsId
    clusterIdentityId: cluster.id
    clusterSize: clusterSize
    clusterMost: clusterMost
    dataAccountId: data.outputs.id
    dataAccountName: data.outputs.name
  }
}

module topics 'topics.bicep' = {
  params: {
    environmentName: environmentName
    token: token
    location: location
    network: network
    logsId: monitoring.outputs.logsId
    dataAccountId: data.outputs.id
    workspaceId: workspace.outputs.id
  }
}

// ---- who may do what ------------------------------------------------------------------------------------------

resource customRoles 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for role in resources.customRoles: {
    name: guid(groupId, role.name)
    properties: {
      roleName: '${role.name} ${token}'
      description: role.says
      type: 'customRole'
      permissions: [
        {
          actions: role.actions
          notActions: []
          dataActions: []
          notDataActions: []
        }
      ]
      assignableScopes: [groupId]
    }
  }
]

var roleIds = union(resources.roleIds, {
  'Campanha asker': guid(groupId, 'Campanha asker')
  'Campanha orchestrator': guid(groupId, 'Campanha orchestrator')
  'Campanha trainer': guid(groupId, 'Campanha trainer')
})
var principals = {
  work: work.properties.principalId
  api: api.properties.principalId
  cluster: cluster.properties.principalId
  endpoint: endpoint.properties.principalId
  storageTopic: topics.outputs.storagePrincipalId
  workspaceTopic: topics.outputs.workspacePrincipalId
}
var accounts = {
  work: workHost.outputs.name
  api: apiHost.outputs.name
  workspace: workspace.outputs.storageName
}
var identityNames = {
  endpoint: endpoint.name
}

module containerRoles 'roles/container.bicep' = [
  for each in resources.assignments.container: {
    params: {
      account: data.outputs.name
      container: each.on
      principal: principals[each.identity]
      principalType: 'ServicePrincipal'
      role: roleIds[each.role]
    }
  }
]

module queueRoles 'roles/queue.bicep' = [
  for each in resources.assignments.queue: {
    params: {
      account: data.outputs.name
      queue: each.on
      principal: principals[each.identity]
      principalType: 'ServicePrincipal'
      role: roleIds[each.role]
    }
  }
]

module tableRoles 'roles/table.bicep' = [
  for each in resources.assignments.table: {
    params: {
      account: data.outputs.name
      table: each.on
      principal: principals[each.identity]
      principalType: 'ServicePrincipal'
      role: roleIds[each.role]
    }
  }
]

module accountRoles 'roles/account.bicep' = [
  for each in resources.assignments.account: {
    params: {
      account: accounts[each.on]
      principal: principals[each.identity]
      principalType: 'ServicePrincipal'
      role: roleIds[each.role]
    }
  }
]

module workspaceRoles 'roles/workspace.bicep' = [
  for each in resources.assignments.workspace: {
    params: {
      workspace: workspace.outputs.name
      principal: principals[each.identity]
      principalType: 'ServicePrincipal'
      role: roleIds[each.role]
    }
    dependsOn: [customRoles]
  }
]

module registryRoles 'roles/registry.bicep' = [
  for each in resources.assignments.registry: {
    params: {
      registry: workspace.outputs.registryName
      principal: principals[each.identity]
      principalType: 'ServicePrincipal'
      role: roleIds[each.role]
    }
  }
]

module topicRoles 'roles/topic.bicep' = [
  for each in resources.assignments.topic: {
    params: {
      topic: topics.outputs.outgoingName
      principal: principals[each.identity]
      principalType: 'ServicePrincipal'
      role: roleIds[each.role]
    }
  }
]

module insightsRoles 'roles/insights.bicep' = [
  for each in resources.assignments.insights: {
    params: {
      component: monitoring.outputs.insightsName
      principal: principals[each.identity]
      principalType: 'ServicePrincipal'
      role: roleIds[each.role]
    }
  }
]

module identityRoles 'roles/identity.bicep' = [
  for each in resources.assignments.identity: {
    params: {
      identity: identityNames[each.on]
      principal: principals[each.identity]
      principalType: 'ServicePrincipal'
      role: roleIds[each.role]
    }
  }
]

module deployer 'deployer.bicep' = if (!empty(deployerId)) {
  params: {
    dataAccount: data.outputs.name
    workspaceAccount: workspace.outputs.storageName
    workspace: workspace.outputs.name
    endpointIdentity: endpoint.name
    principal: deployerId
    principalType: deployerType
  }
}

// ---- which events come ----------------------------------------------------------------------------------------

// After the roles: what is refused for want of one is not tried again, and what comes meanwhile is lost.
module subscriptions 'subscriptions.bicep' = {
  params: {
    dataAccountId: data.outputs.id
    storageTopic: topics.outputs.storageName
    workspaceTopic: topics.outputs.workspaceName
  }
  dependsOn: [containerRoles, queueRoles]
}

// ---- what runs ------------------------------------------------------------------------------------------------

module workApp 'function-app.bicep' = {
  params: {
    environmentName: environmentName
    token: token
    location: location
    network: network
    serves: 'work'
    pythonVersion: pythonVersion
    identityId: work.id
    clientId: work.properties.clientId
    hostAccount: workHost.outputs.name
    packageUri: workHost.outputs.packageUri
    insightsConnection: monitoring.outputs.connection
    logsId: monitoring.outputs.logsId
    blobUri: data.outputs.blobUri
    queueUri: data.outputs.queueUri
    tableUri: data.outputs.tableUri
    workspaceName: workspace.outputs.name
    topicEndpoint: topics.outputs.outgoingEndpoint
    endpointIdentityId: endpoint.id
    apiAudience: apiAudience
    alertChannels: alertChannels
    moreSettings: moreSettings
    subnetId: private ? vnet::workSubnet.id : ''
  }
  dependsOn: [accountRoles, insightsRoles]
}

module apiApp 'function-app.bicep' = {
  params: {
    environmentName: environmentName
    token: token
    location: location
    network: network
    serves: 'api'
    pythonVersion: pythonVersion
    identityId: api.id
    clientId: api.properties.clientId
    hostAccount: apiHost.outputs.name
    packageUri: apiHost.outputs.packageUri
    insightsConnection: monitoring.outputs.connection
    logsId: monitoring.outputs.logsId
    blobUri: data.outputs.blobUri
    queueUri: data.outputs.queueUri
    tableUri: data.outputs.tableUri
    workspaceName: workspace.outputs.name
    topicEndpoint: topics.outputs.outgoingEndpoint
    endpointIdentityId: endpoint.id
    apiAudience: apiAudience
    alertChannels: alertChannels
    moreSettings: moreSettings
    subnetId: private ? vnet::apiSubnet.id : ''
  }
  dependsOn: [accountRoles, insightsRoles]
}

// ---- who is told ----------------------------------------------------------------------------------------------

module alerts 'alerts.bicep' = {
  params: {
    environmentName: environmentName
    token: token
    location: location
    insightsId: monitoring.outputs.insightsId
    actionGroupId: monitoring.outputs.actionGroupId
    storageTopicId: topics.outputs.storageId
    workspaceTopicId: topics.outputs.workspaceId
    outgoingTopicId: topics.outputs.outgoingId
    dataAccountId: data.outputs.id
  }
}

module workbook 'workbook.bicep' = {
  params: {
    environmentName: environmentName
    location: location
    insightsId: monitoring.outputs.insightsId
  }
}

// ---- the network, when it is private --------------------------------------------------------------------------

resource vnet 'Microsoft.Network/virtualNetworks@2026-03-01' = if (private) {
  name: 'vnet-${token}'
  location: location
  tags: tags
  properties: { addressSpace: { addressPrefixes: ['10.20.0.0/16'] } }
  resource workSubnet 'subnets' = {
    name: 'work'
    properties: {
      addressPrefix: '10.20.1.0/24'
      delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
    }
  }
  resource apiSubnet 'subnets' = {
    name: 'api'
    properties: {
      addressPrefix: '10.20.2.0/24'
      delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
    }
    dependsOn: [workSubnet]
  }
  resource endpointSubnet 'subnets' = {
    name: 'endpoints'
    properties: { addressPrefix: '10.20.3.0/24', privateEndpointNetworkPolicies: 'Disabled' }
    dependsOn: [apiSubnet]
  }
}

module privateEndpoints 'private-endpoints.bicep' = if (private) {
  params: {
    environmentName: environmentName
    token: token
    location: location
    vnetId: vnet.id
    subnetId: vnet::endpointSubnet.id
    dataAccountId: data.outputs.id
    workHostId: workHost.outputs.id
    apiHostId: apiHost.outputs.id
    workspaceAccountId: workspace.outputs.storageId
    workspaceId: workspace.outputs.id
    vaultId: workspace.outputs.vaultId
    registryId: workspace.outputs.registryId
    topicId: topics.outputs.outgoingId
    workAppId: workApp.outputs.id
    apiAppId: apiApp.outputs.id
  }
}

output workspace string = workspace.outputs.name
output compute string = workspace.outputs.computeName
output blobUri string = data.outputs.blobUri
output queueUri string = data.outputs.queueUri
output tableUri string = data.outputs.tableUri
output endpointIdentityId string = endpoint.id
output apiUrl string = apiApp.outputs.url
output workApp string = workApp.outputs.name
output apiApp string = apiApp.outputs.name
