// A private endpoint for each service and part, and the DNS zone that makes its name mean the private address.
param environmentName string
param token string
param location string
param vnetId string
param subnetId string
param dataAccountId string
param workHostId string
param apiHostId string
param workspaceAccountId string
param workspaceId string
param vaultId string
param registryId string
param topicId string
param workAppId string
param apiAppId string

var tags = { 'azd-env-name': environmentName }
var suffix = environment().suffixes.storage
var zoneNames = [
  'privatelink.blob.${suffix}'
  'privatelink.queue.${suffix}'
  'privatelink.table.${suffix}'
  'privatelink.file.${suffix}'
  'privatelink.vaultcore.azure.net'
  'privatelink.azurecr.io'
  'privatelink.api.azureml.ms'
  'privatelink.notebooks.azure.net'
  'privatelink.eventgrid.azure.net'
  'privatelink.azurewebsites.net'
]
var privates = [
  { name: 'data-blob', id: dataAccountId, part: 'blob', zone: 0 }
  { name: 'data-queue', id: dataAccountId, part: 'queue', zone: 1 }
  { name: 'data-table', id: dataAccountId, part: 'table', zone: 2 }
  { name: 'work-blob', id: workHostId, part: 'blob', zone: 0 }
  { name: 'work-queue', id: workHostId, part: 'queue', zone: 1 }
  { name: 'work-table', id: workHostId, part: 'table', zone: 2 }
  { name: 'api-blob', id: apiHostId, part: 'blob', zone: 0 }
  { name: 'api-queue', id: apiHostId, part: 'queue', zone: 1 }
  { name: 'api-table', id: apiHostId, part: 'table', zone: 2 }
  { name: 'ml-blob', id: workspaceAccountId, part: 'blob', zone: 0 }
  { name: 'ml-file', id: workspaceAccountId, part: 'file', zone: 3 }
  { name: 'vault', id: vaultId, part: 'vault', zone: 4 }
  { name: 'registry', id: registryId, part: 'registry', zone: 5 }
  { name: 'workspace', id: workspaceId, part: 'amlworkspace', zone: 6 }
  { name: 'topic', id: topicId, part: 'topic', zone: 8 }
  { name: 'work-app', id: workAppId, part: 'sites', zone: 9 }
  { name: 'api-app', id: apiAppId, part: 'sites', zone: 9 }
]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for name in zoneNames: {
    name: name
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (name, i) in zoneNames: {
    parent: zones[i]
    name: 'vnet'
    location: 'global'
    tags: tags
    properties: { registrationEnabled: false, virtualNetwork: { id: vnetId } }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2026-03-01' = [
  for each in privates: {
    name: 'pe-${each.name}-${token}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        { name: each.name, properties: { privateLinkServiceId: each.id, groupIds: [each.part] } }
      ]
    }
  }
]

resource zoneGroups 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2026-03-01' = [
  for (each, i) in privates: {
    parent: endpoints[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: each.part == 'amlworkspace' ? [
        { name: 'api', properties: { privateDnsZoneId: zones[6].id } }
        { name: 'notebooks', properties: { privateDnsZoneId: zones[7].id } }
      ] : [
        { name: each.part, properties: { privateDnsZoneId: zones[each.zone].id } }
      ]
    }
  }
]
