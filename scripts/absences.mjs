// The invariants that docs/ARCHITECTURE.md states as absences, checked on the source text without its comments.

import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { root } from './support/addon.mjs'

const longFileLines = 300

// `allowed` names the paths where the words may stand; `within` limits the rule to a part of src/.
const rules = [
  {
    says: 'napi is named only under src/binding/',
    words: /\bnapi(_derive)?\b/,
    allowed: /^src\/binding\//,
  },
  {
    says: 'redis:: is named only in src/node/redis*',
    // not `crate::node::redis::…`, which is our module of that name
    words: /(?<![\w:])redis::|\buse redis\b/,
    allowed: /^src\/node\/redis/,
  },
  {
    says: 'the clock is read only in src/driver/',
    words: /\b(Instant|SystemTime)::now\b|\bclock_gettime\b|\bClockId::/,
    allowed: /^src\/(driver|sim)\//,
  },
  {
    says: 'src/lock has no async and starts nothing',
    words: /\basync\b|\.await\b|\btokio\b|\bfutures\b|\bthread::/,
    within: /^src\/lock\//,
  },
  {
    says: 'src/lock does no I/O',
    words: /\bstd::(net|fs|io|env|process)\b|\bsocket2\b|\bprintln!|\beprintln!/,
    within: /^src\/lock\//,
  },
  {
    says: 'src/lock has no randomness of its own',
    words: /\bgetrandom\b|\brand::|\bnew_v[47]\b|\bRandomState\b/,
    within: /^src\/lock\//,
  },
  {
    says: 'unsafe code is expected only in four files of src/binding/, and in the stand-in for one of them',
    words: /\b(allow|expect|warn)\(unsafe_code\b|\bunsafe\s*(\{|fn|impl|extern)/,
    allowed: /^src\/binding\/(environment|event_loop|no_event_loop|key|uv)\.rs$/,
  },
]

const files = readdirSync(join(root, 'src'), { recursive: true })
  .filter((name) => name.endsWith('.rs'))
  .map((name) => join('src', name).split(sep).join('/'))
  .sort()
let broken = 0

for (const path of files) {
  const code = withoutTests(withoutComments(readFileSync(join(root, path), 'utf8')))
  for (const { says, words, allowed, within } of rules) {
    if (allowed?.test(path) || (within && !within.test(path))) continue
    code.split('\n').forEach((line, index) => {
      if (!words.test(line)) return
      broken++
      console.log(`${path}:${index + 1}: ${says}\n    ${line.trim()}`)
    })
  }
}

for (const path of [...files, ...scripts()]) {
  const lines = readFileSync(join(root, path), 'utf8').split('\n').length
  if (lines > longFileLines)
    console.log(`note: ${path} has ${lines} lines; ${longFileLines} is where a file wants splitting`)
}
process.exitCode = broken > 0 ? 1 : 0

/** Everything that reads as prose is blanked; line numbers stay. */
function withoutComments(text) {
  return text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' ')).replace(/\/\/.*$/gm, '')
}

/** Unit tests stand at the end of a file and may do what the code itself may not. */
function withoutTests(code) {
  const start = code.search(/^#\[cfg\(test\)\]\s*\nmod tests\b/m)
  return start < 0 ? code : code.slice(0, start)
}

function scripts() {
  return ['js', 'scripts', '__test__', 'benches', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => /\.[cm]?js$/.test(name) && !name.includes('node_modules'))
      .map((name) => `${folder}/${name}`),
  )
}
