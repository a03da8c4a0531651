// The address of a data collection endpoint, which only Azure knows.

@description('Required. Name.')
param name string

resource endpoint 'Microsoft.Insights/dataCollectionEndpoints@2024-03-11' existing = {
  name: name
}

@description('Where rows are sent to.')
output logsIngestion string = endpoint.properties.logsIngestion.endpoint
