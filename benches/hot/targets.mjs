// What quorlock is to reach on a hot key, in the shape of the other targets.

import { times } from '../numbers.mjs'
import { IN_PROCESS, OURS, PING_RESTED } from './contenders.mjs'
import { bestPeer, figureOf } from './ratio.mjs'

const workAlone = (row, limit, text) => ({
  row,
  figure: 'ofFloor',
  limit,
  better: 'less',
  text: `${text} in at most ${limit} x the time of the work alone`,
})

const handedOver = (contender, text) => ({
  row: 'handover',
  contender,
  figure: 'p50',
  against: (results) => ({
    contender: { label: 'one PING by ioredis after such a pause' },
    value: figureOf(results, PING_RESTED, 'p50'),
  }),
  limit: 3,
  better: 'less',
  text: `${text} a p50 of at most 3 x that of one PING after a pause as long`,
})

const wanted = [
  workAlone('buyers', 1.25, '200 buyers of one key'),
  workAlone('buyers-of-four', 1.6, '200 buyers of one key in 4 processes'),
  workAlone('many-buyers', 1.25, '1,000 buyers of one key'),
  {
    row: 'buyers',
    figure: 'commandsPerSection',
    limit: 1,
    better: 'less',
    text: '200 buyers of one key: less than one Redis command for a section, on all nodes together',
    show: (value) => value.toFixed(3),
  },
  {
    row: 'loop',
    figure: 'sectionsPerSecond',
    against: (results) => bestPeer(results, 'sectionsPerSecond', 'more'),
    limit: 100,
    better: 'more',
    text: "200 waiters of one key without work: at least 100 x the best peer's sections/s",
  },
  {
    row: 'loop',
    figure: 'sectionsPerSecond',
    against: (results) => ({
      contender: { label: 'async-mutex' },
      value: figureOf(results, IN_PROCESS, 'sectionsPerSecond'),
    }),
    limit: 0.2,
    better: 'more',
    text: '200 waiters of one key without work: at least 0.2 of the sections/s of a mutex in the process',
  },
  handedOver(OURS, 'from a release in one process to the grant in another'),
  {
    row: 'fairness',
    figure: 'jain',
    limit: 0.9,
    better: 'more',
    text: "200 waiters of one key in 4 processes: a Jain's index of their sections of at least 0.9",
    show: (value) => value.toFixed(3),
  },
]

/** A figure that is missing does not reach anything. */
export function checkHotTargets(hot) {
  return wanted.map(({ row, contender = OURS, figure, against, limit, better, text, show = times }) => {
    const results = hot.get(row)
    const other = against?.(results)
    const ratio = figureOf(results, contender, figure) / (against ? other?.value : 1)
    const reached = better === 'more' ? ratio >= limit : ratio <= limit
    const result = Number.isFinite(ratio) ? show(ratio) : 'not measured'
    return { text, ratio, reached, shown: other ? `${result} of ${other.contender.label}` : result }
  })
}
