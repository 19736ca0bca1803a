// For `bicep snapshot` alone: azd takes main.parameters.json.
using '../main.bicep'
param environmentName = 'snapshot'
param location = 'westeurope'
param network = 'private'
param generation = '1'
param deployerId = '00000000-0000-0000-0000-000000000001'
param deployerType = 'User'
param alertEmail = 'owner@example.org'
param alertChannels = ''
param moreSettings = { CALL_COST: '4' }
param apiAudience = '6e74172b-be56-4843-9ff4-e66a39bb12e3'
param pythonVersion = '3.13'
param clusterSize = 'Standard_D4as_v4'
param clusterMost = 2
param budgetStart = '2027-01-01'
param budgetAmount = 500
