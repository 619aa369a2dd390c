// The columns of the tables: a figure of the contender itself, or its ratio to another's.

import { thousands, times } from '../numbers.mjs'
import { IN_PROCESS, PING, PING_RESTED } from './contenders.mjs'
import { bestPeer, figureOf } from './ratio.mjs'

const own = (title, figure, show, better) => ({
  title,
  figure,
  show,
  better,
  cell: (_row, own) => shown(own[figure], show),
})

export const columns = {
  totalMs: own('total ms', 'totalMs', thousands, 'less'),
  ofFloor: own('total : the work alone', 'ofFloor', times),
  commandsPerSection: own('Redis commands/section', 'commandsPerSection', digits),
  sectionsPerSecond: own('sections/s', 'sectionsPerSecond', thousands, 'more'),
  cpuPerSection: own('CPU us/section', 'cpuPerSection', (value) => value.toFixed(1), 'less'),
  p50: own('p50 us', 'p50', thousands, 'less'),
  p99: own('p99 us', 'p99', thousands, 'less'),
  samples: own('times', 'samples', thousands),
  toPing: {
    title: 'p50 : PING',
    cell: (row, own) => shown(own.p50 / figureOf(row, PING, 'p50'), times),
  },
  toPingRested: {
    title: 'p50 : PING after a pause',
    cell: (row, own) => shown(own.p50 / figureOf(row, PING_RESTED, 'p50'), times),
  },
  jain: own("Jain's index", 'jain', (value) => value.toFixed(3), 'more'),
  toBestPeer: {
    title: 'sections/s : best peer',
    cell: (row, own) => shown(own.sectionsPerSecond / bestPeer(row, 'sectionsPerSecond', 'more')?.value, times),
  },
  toInProcess: {
    title: 'sections/s : async-mutex',
    cell: (row, own) => shown(own.sectionsPerSecond / figureOf(row, IN_PROCESS, 'sectionsPerSecond'), times),
  },
}

function shown(value, show) {
  return Number.isFinite(value) ? show(value) : ''
}

function digits(value) {
  return value < 10 ? value.toFixed(3) : thousands(value)
}
