'use strict'

const { contract } = require('./contract')
const { useCluster } = require('../support/cluster')

contract('three Redis', () => {
  const cluster = useCluster(3)
  return {
    count: 3,
    get nodes() {
      return cluster.urls
    },
    get servers() {
      return cluster.servers
    },
  }
})
