// For `bicep snapshot` alone: azd takes main.parameters.json.
using '../main.bicep'
param environmentName = 'snapshot'
param location = 'westeurope'
param network = 'public'
param generation = '1'
param deployerId = '00000000-0000-0000-0000-000000000001'
param deployerType = 'User'
param alertEmail = 'owner@example.org'
param alertChannels = ''
param moreSettings = { CALL_COST: '4' }
param apiAudience = '00000000-0000-0000-0000-00000000000a'
param pythonVersion = '3.13'
param clusterSize = 'Standard_D4as_v4'
param clusterMost = 2
param budgetStart = '2027-01-01'
param budgetAmount = 500
