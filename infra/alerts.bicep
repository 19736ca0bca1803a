// Alerts: each tells the action group. Queries read what the app logs: a sentence, and behind it its fields as JSON.
param environmentName string
param token string
param location string
param insightsId string
param actionGroupId string
param storageTopicId string
param workspaceTopicId string
param outgoingTopicId string
param dataAccountId string

var tags = { 'azd-env-name': environmentName }
var groupId = resourceGroup().id
var queries = loadJsonContent('queries.json')
var ofTopics = [
  { name: 'undelivered-blob-events', topic: storageTopicId, metric: 'DeadLetteredCount', says: 'Events of the data account could not be delivered: they lie in the container event-dead-letters.' }
  { name: 'lost-blob-events', topic: storageTopicId, metric: 'DroppedEventCount', says: 'Events of the data account were lost: the reconciler finds their files.' }
  { name: 'undelivered-run-events', topic: workspaceTopicId, metric: 'DeadLetteredCount', says: 'Events of the workspace could not be delivered: they lie in the container event-dead-letters.' }
  { name: 'lost-run-events', topic: workspaceTopicId, metric: 'DroppedEventCount', says: 'Events of the workspace were lost: the reconciler asks for its runs.' }
  { name: 'unpublished-events', topic: outgoingTopicId, metric: 'PublishFailCount', says: 'The topic of our events refuses them: subscribers hear nothing.' }
]

resource byQuery 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for each in queries.alerts: {
    name: '${each.name}-${token}'
    location: location
    tags: tags
    properties: {
      displayName: each.name
      description: each.says
      severity: each.severity
      enabled: true
      evaluationFrequency: each.every
      windowSize: each.window
      scopes: [insightsId]
      autoMitigate: true
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: each.query
            timeAggregation: 'Count'
            operator: each.operator
            threshold: each.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [actionGroupId] }
    }
  }
]

resource byTopic 'Microsoft.Insights/metricAlerts@2026-01-01' = [
  for each in ofTopics: {
    name: '${each.name}-${token}'
    location: 'global'
    tags: tags
    properties: {
      description: each.says
      severity: 1
      enabled: true
      scopes: [each.topic]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: each.name
            metricName: each.metric
            operator: 'GreaterThan'
            threshold: 0
            timeAggregation: 'Total'
            skipMetricValidation: true
          }
        ]
      }
      actions: [{ actionGroupId: actionGroupId }]
    }
  }
]

resource storageUnavailable 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: 'storage-unavailable-${token}'
  location: 'global'
  tags: tags
  properties: {
    description: 'The data account fails requests.'
    severity: 1
    enabled: true
    scopes: [dataAccountId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'availability'
          metricName: 'Availability'
          operator: 'LessThan'
          threshold: 99
          timeAggregation: 'Average'
          skipMetricValidation: true
        }
      ]
    }
    actions: [{ actionGroupId: actionGroupId }]
  }
}

resource azureItself 'Microsoft.Insights/activityLogAlerts@2026-01-01' = {
  name: 'azure-${token}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Azure says that a service is unwell.'
    enabled: true
    scopes: [groupId]
    condition: { allOf: [{ field: 'category', equals: 'ResourceHealth' }] }
    actions: { actionGroups: [{ actionGroupId: actionGroupId }] }
  }
}
