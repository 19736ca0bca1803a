// What whoever deploys may do, so that the hook after deployment can publish the pipelines and drop its canary.
param dataAccount string
param workspaceAccount string
param workspace string
param endpointIdentity string
param principal string
@allowed(['User', 'ServicePrincipal', 'Group'])
param principalType string

var resources = loadJsonContent('resources.json')

module containerRoles 'roles/container.bicep' = [
  for each in resources.deployer.container: {
    params: {
      account: dataAccount
      container: each.on
      principal: principal
      principalType: principalType
      role: resources.roleIds[each.role]
    }
  }
]

module accountRoles 'roles/account.bicep' = [
  for each in resources.deployer.account: {
    params: {
      account: workspaceAccount
      principal: principal
      principalType: principalType
      role: resources.roleIds[each.role]
    }
  }
]

module workspaceRoles 'roles/workspace.bicep' = [
  for each in resources.deployer.workspace: {
    params: {
      workspace: workspace
      principal: principal
      principalType: principalType
      role: resources.roleIds[each.role]
    }
  }
]

module identityRoles 'roles/identity.bicep' = [
  for each in resources.deployer.identity: {
    params: {
      identity: endpointIdentity
      principal: principal
      principalType: principalType
      role: resources.roleIds[each.role]
    }
  }
]
