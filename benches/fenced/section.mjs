// What fencing costs, for people: tables, targets, and the section of RESULTS.md.

import { thousands, times } from '../numbers.mjs'
import { markdownTable } from '../table.mjs'

const HEADER = [
  'in flight',
  'cycles/s, classic',
  'fenced',
  'fenced : classic',
  'CPU us/cycle, classic',
  'fenced',
  'fenced : classic',
  'CPU of all servers us/cycle, classic',
  'fenced',
  'their share of all CPU, classic',
  'fenced',
]

export function fencingTable(results) {
  return [
    HEADER,
    ...[...results].map(([depth, { classic, fenced }]) => [
      String(depth),
      thousands(classic.rate),
      thousands(fenced.rate),
      times(fenced.rate / classic.rate),
      classic.client.toFixed(1),
      fenced.client.toFixed(1),
      times(fenced.client / classic.client),
      classic.servers.cpu.toFixed(1),
      fenced.servers.cpu.toFixed(1),
      share(classic),
      share(fenced),
    ]),
  ]
}

function share({ client, servers }) {
  return `${((servers.cpu / (servers.cpu + client)) * 100).toFixed(0)} %`
}

const PARTS = [
  ['sent', 'plain commands'],
  ['inside', 'commands inside scripts'],
  ['interpreter', 'scripts without these: the interpreter'],
  ['rest', 'the rest: reading requests, sending replies, system calls'],
  ['cpu', 'all'],
]

/** Where a server's time goes. */
export function serverTable({ classic, fenced }) {
  const row = ([part, label]) => [label, classic.servers[part].toFixed(1), fenced.servers[part].toFixed(1)]
  return [['us/cycle', 'classic', 'fenced'], ...PARTS.map(row)]
}

export function checkFencingTargets({ cycles }) {
  const { classic, fenced } = cycles.get(512)
  const [rate, cpu] = [fenced.rate / classic.rate, fenced.client / classic.client]
  return [
    {
      text: "with fencing at 512 in flight at least 0.35 x the cycles/s without, on the servers' own cores",
      reached: rate >= 0.35,
      shown: times(rate),
    },
    {
      text: "with fencing at 512 in flight at most 1.3 x the client's CPU per cycle without",
      reached: cpu <= 1.3,
      shown: times(cpu),
    },
  ]
}

export function fencingSection(fencing, { fencingWindows, fencingWindowMs }, { date, cpu, load, redis }) {
  const { cycles, alone } = fencing
  const aims = checkFencingTargets(fencing).map(
    ({ text, shown, reached }) => `- ${text}: **${reached ? 'yes' : 'no'}**, ${shown}`,
  )
  return [
    '## Fencing',
    `${date}; ${cpu}, Redis ${redis}; load ${load.toFixed(1)} before the run.`,
    `The same cycles with \`fencing: true\` and without, in one process each; medians of ${fencingWindows} windows of ` +
      `${fencingWindowMs} ms in turn. The servers share the cores with the client, so what they spend is missing there.`,
    markdownTable(fencingTable(cycles)),
    'Where a server spends it, by its own statistics: 512 in flight, with one node only, so that it has a core to itself.',
    markdownTable(serverTable(alone)),
    aims.join('\n'),
  ]
}
