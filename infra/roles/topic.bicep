// One role of one principal on one topic. A module, because the assignment's name is made of the principal, which is known only
// when the identity is there.
param topic string
param principal string
@allowed(['User', 'ServicePrincipal', 'Group'])
param principalType string
param role string

resource target 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topic
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
