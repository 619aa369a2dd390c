// What is measured of a hot key, by whom, and which figures of it are shown.

import { columns } from './columns.mjs'
import { contenders, handoverContenders } from './contenders.mjs'
import { measureBuyers } from './measure-buyers.mjs'
import { measureHandover, measurePings } from './measure-handover.mjs'
import { measureFairness, measureLoop } from './measure-loop.mjs'

const WORK_MS = 1
const HANDOVERS = { count: 200, pause: { min: 3, max: 13 } }
const competing = contenders.filter(({ kind }) => kind === 'ours' || kind === 'peer')
const handOver = measureHandover(HANDOVERS)
const ping = measurePings(HANDOVERS)

export const rows = [
  {
    id: 'buyers',
    title: '200 buyers of one key, 1 ms of work each, one process',
    contenders: competing,
    measure: measureBuyers({ processes: 1, buyers: 200, workMs: WORK_MS, commands: true }),
    columns: [columns.totalMs, columns.ofFloor, columns.commandsPerSection],
  },
  {
    id: 'buyers-of-four',
    title: '200 buyers of one key, 1 ms of work each, in 4 processes of 50',
    contenders: competing,
    measure: measureBuyers({ processes: 4, buyers: 50, workMs: WORK_MS }),
    columns: [columns.totalMs, columns.ofFloor],
  },
  {
    id: 'many-buyers',
    title: '1,000 buyers of one key, 1 ms of work each, one process',
    contenders: competing,
    measure: measureBuyers({ processes: 1, buyers: 1000, workMs: WORK_MS }),
    columns: [columns.totalMs, columns.ofFloor],
  },
  {
    id: 'loop',
    title: '200 waiters in a closed loop on one key, no work, one process',
    contenders: contenders.filter(({ kind }) => kind !== 'ping'),
    warmUp: true,
    measure: measureLoop({ waiters: 200 }),
    columns: [columns.sectionsPerSecond, columns.cpuPerSection, columns.toBestPeer, columns.toInProcess],
  },
  {
    id: 'handover',
    title: 'From a release in one process to the grant in another that waits',
    contenders: handoverContenders,
    measure: (context) => (context.contender.kind === 'ping' ? ping : handOver)(context),
    columns: [columns.p50, columns.p99, columns.samples, columns.toPing, columns.toPingRested],
  },
  {
    id: 'fairness',
    title: '4 processes of 50 waiters in a closed loop on one key, 1 ms of work',
    contenders: competing,
    measure: measureFairness({ processes: 4, waiters: 50, workMs: WORK_MS }),
    columns: [columns.jain, columns.sectionsPerSecond],
  },
]
