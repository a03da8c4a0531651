// The URL of a data collection endpoint, which only Azure has.

@description('Required. Name.')
param name string

resource endpoint 'Microsoft.Insights/dataCollectionEndpoints@2024-03-11' existing = {
  name: name
}

@description('Destination of the rows.')
output logsIngestion string = endpoint.properties.logsIngestion.endpoint
