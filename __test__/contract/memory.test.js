'use strict'

const { contract } = require('./contract')

contract('memory', () => ({ nodes: `memory:contract-${process.pid}`, count: 1 }))
