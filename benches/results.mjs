// Writes RESULTS.md: everything a reader needs to judge the figures, the losses included.

import { readFileSync, writeFileSync } from 'node:fs'
import { checkTargets, figures, losses } from './comparison.mjs'
import { fencingSection } from './fenced/section.mjs'
import { hotLosses } from './hot/losses.mjs'
import { hotSections } from './hot/sections.mjs'
import { thousands, times } from './numbers.mjs'
import { markdownTable, rowsOf } from './table.mjs'

const FILE = new URL('./RESULTS.md', import.meta.url)

export function writeResults(run) {
  writeFileSync(FILE, `${sections(run).join('\n\n')}\n`)
}

/** Only what is said of fencing; the rest stays as an earlier run has left it. */
export function writeFencing({ fencing, settings, machine }) {
  const [before, after] = readFileSync(FILE, 'utf8').split('## One hot key')
  const [kept] = before.split('## Fencing')
  const section = fencingSection(fencing, settings, machine).join('\n\n')
  writeFileSync(FILE, `${kept}${section}\n\n## One hot key${after}`)
}

function sections(run) {
  const { results, fencing, hot, depths, machine, settings, absent } = run
  return [
    '# Results',
    'Written by `npm run bench`. First distinct keys: a cycle is one acquire and one release of a key that nobody ' +
      'else wants; every lock in flight has a key of its own. Then the same with fencing tokens. Then one hot key, which everybody wants. Three Redis ' +
      'nodes on the same machine as the client, so the network costs next to nothing and the libraries are what is ' +
      'compared.',
    '## Machine',
    machineList(machine, settings),
    ...depths.flatMap((depth) => [`## ${depth} in flight`, markdownTable(rowsOf(results, depth))]),
    'CPU is that of the whole Node process, native threads included, without the servers. Each ratio is taken ' +
      'against the peer that is best in that figure. Auto-pipelining is an option of ioredis, off by default, ' +
      'that the three peers can be used with. `withLock` also arms a renewal for every lock; nobody else renews.',
    '*Floor*: the same number of `SET NX PX` and compare-and-delete commands, packed beforehand, pipelined over ' +
      'plain sockets, the replies counted and nothing else done: no lock, no promise, no decision per command.',
    ...fencingSection(fencing, settings, machine),
    ...hotSections(hot, settings),
    '## Targets',
    targetList(run),
    '## Where we lose',
    lossList(results, depths, hot),
    ...notes(absent, machine),
  ]
}

function machineList({ date, cpu, cores, load, kernel, node, redis, versions }, { rounds, windowMs, ttl }) {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [
    `- ${date}; ${cpu}, ${cores} cores, shared by the client and the three servers; load ${load.toFixed(1)} before the run; ${kernel}`,
    `- Node ${node}, Redis ${redis} without persistence`,
    `- ${packages.join(', ')}`,
    `- medians of ${rounds} interleaved windows of ${windowMs} ms, one process per contender, ttl ${ttl} ms`,
  ].join('\n')
}

function targetList(run) {
  return checkTargets(run)
    .map(({ text, shown, reached }) => `- ${text}: **${reached ? 'yes' : 'no'}**, ${shown}`)
    .join('\n')
}

function lossList(results, depths, hot) {
  const found = losses(results, depths).map(({ contender, depth, figure, ratio, best }) => {
    const { label, unit = '' } = figures[figure]
    const ours = thousands(results.get(contender.id).get(depth)[figure])
    const numbers = `${ours} against ${thousands(best.value)}${unit && ` ${unit}`}`
    return `- ${contender.label}, ${depth} in flight, ${label}: ${numbers} of ${best.contender.label} (${times(ratio)})`
  })
  const all = [...found, ...hotLosses(hot)]
  const measured = all.length ? all : ['- No figure of this run in which a peer is ahead.']
  return [
    ...measured,
    '- Not measured here: nodes across a real network, where one at a time the round trip is most of the time and ' +
      'the libraries differ little.',
  ].join('\n')
}

function notes(absent, { node }) {
  const lines = [
    `redlock-universal declares Node >= 22 and was ${absent.has('redlock-universal') ? 'not loadable' : 'loaded and run'} here on Node ${node}.`,
    ...[...absent].map(([id, reason]) => `Not measured: ${id} (${reason}).`),
  ]
  return ['## Notes', lines.map((line) => `- ${line}`).join('\n')]
}
