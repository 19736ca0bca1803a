// One role of one principal on one queue. A module, because the assignment's name is made of the principal, which is known only
// when the identity is there.
param account string
param queue string
param principal string
@allowed(['User', 'ServicePrincipal', 'Group'])
param principalType string
param role string

resource storage 'Microsoft.Storage/storageAccounts@2026-09-01' existing = {
  name: account
}

resource service 'Microsoft.Storage/storageAccounts/queueServices@2026-09-01' existing = {
  parent: storage
  name: 'default'
}

resource target 'Microsoft.Storage/storageAccounts/queueServices/queues@2026-09-01' existing = {
  parent: service
  name: queue
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(target.id, principal, role)
  scope: target
  properties: {
    principalId: principal
    principalType: principalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}
