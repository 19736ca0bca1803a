// Which events come into which queue: delivered, and dead-lettered, with the topic's own identity.
param dataAccountId string
param storageTopic string
param workspaceTopic string

var resources = loadJsonContent('resources.json')

resource ofStorage 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: storageTopic
}

resource ofWorkspace 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: workspaceTopic
}

resource blobEvents 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [
  for each in resources.subscriptions.storage: {
    parent: ofStorage
    name: each.name
    properties: {
      eventDeliverySchema: 'EventGridSchema'
      filter: {
        includedEventTypes: each.types
        subjectBeginsWith: each.subject
        isSubjectCaseSensitive: true
      }
      deliveryWithResourceIdentity: {
        identity: { type: 'SystemAssigned' }
        destination: {
          endpointType: 'StorageQueue'
          properties: { resourceId: dataAccountId, queueName: each.queue, queueMessageTimeToLiveInSeconds: -1 }
        }
      }
      deadLetterWithResourceIdentity: {
        identity: { type: 'SystemAssigned' }
        deadLetterDestination: {
          endpointType: 'StorageBlob'
          properties: { resourceId: dataAccountId, blobContainerName: each.deadLetters }
        }
      }
      retryPolicy: { eventTimeToLiveInMinutes: 1440, maxDeliveryAttempts: 30 }
    }
  }
]

resource runEvents 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [
  for each in resources.subscriptions.workspace: {
    parent: ofWorkspace
    name: each.name
    properties: {
      eventDeliverySchema: 'EventGridSchema'
      filter: {
        includedEventTypes: each.types
        subjectBeginsWith: each.subject
      }
      deliveryWithResourceIdentity: {
        identity: { type: 'SystemAssigned' }
        destination: {
          endpointType: 'StorageQueue'
          properties: { resourceId: dataAccountId, queueName: each.queue, queueMessageTimeToLiveInSeconds: -1 }
        }
      }
      deadLetterWithResourceIdentity: {
        identity: { type: 'SystemAssigned' }
        deadLetterDestination: {
          endpointType: 'StorageBlob'
          properties: { resourceId: dataAccountId, blobContainerName: each.deadLetters }
        }
      }
      retryPolicy: { eventTimeToLiveInMinutes: 1440, maxDeliveryAttempts: 30 }
    }
  }
]
