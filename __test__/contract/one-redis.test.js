'use strict'

const { contract } = require('./contract')
const { useCluster } = require('../support/cluster')

contract('one Redis', () => {
  const cluster = useCluster(1)
  return {
    count: 1,
    get nodes() {
      return cluster.urls[0]
    },
    get servers() {
      return cluster.servers
    },
  }
})
