// Writes THIRD_PARTY_LICENSES: the licence texts of every crate linked into the addon, for the platforms package.json
// claims. `--check` compares with the committed file. Fails for a licence that deny.toml does not allow.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './support/addon.mjs'
import { runCommand } from './support/command.mjs'
import { mit, rustStandardLibrary } from './support/licence-texts.mjs'

const output = join(root, 'THIRD_PARTY_LICENSES')

// Of several offered licences the first of these is taken: short texts first, Apache-2.0 (ten pages) last.
const preference = ['MIT', 'ISC', 'BSD-3-Clause', 'Unicode-3.0', 'BSL-1.0', 'Zlib', 'CDLA-Permissive-2.0', 'Apache-2.0']
const fileOf = {
  MIT: /MIT/i,
  ISC: /ISC/i,
  'BSL-1.0': /BOOST|BSL/i,
  Zlib: /ZLIB/i,
  'Apache-2.0': /APACHE(?!.*LLVM)/i,
}
const isLicence = /^(licen[cs]e|copying|unlicense)/i

const allowed = new Set(
  readFileSync(join(root, 'deny.toml'), 'utf8')
    .match(/^allow = \[([^\]]*)\]/m)[1]
    .match(/[\w.-]+/g),
)

const text = render(collect(await linkedCrates()))
if (!process.argv.includes('--check')) {
  writeFileSync(output, text)
} else if (readFileSync(output, 'utf8') !== text) {
  console.log('THIRD_PARTY_LICENSES does not fit Cargo.lock: run "npm run licences" and commit the result')
  process.exitCode = 1
}

/** Normal dependencies of the addon, the crate itself left out: what is linked, and macros whose output is. */
async function linkedCrates() {
  const { targets } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).napi
  const platforms = targets.flatMap((target) => ['--filter-platform', target])
  const { code, output: json } = await runCommand(
    'cargo',
    ['metadata', '--format-version=1', '--locked', '--quiet', ...platforms],
    { errors: true },
  )
  if (code !== 0) throw new Error('cargo metadata failed')
  const { packages, resolve } = JSON.parse(json)
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]))
  const linked = new Set()
  const visit = (id) => {
    if (linked.has(id)) return
    linked.add(id)
    for (const { pkg, dep_kinds } of nodes.get(id).deps) if (dep_kinds.some(({ kind }) => kind === null)) visit(pkg)
  }
  visit(resolve.root)
  linked.delete(resolve.root)
  return packages.filter(({ id }) => linked.has(id)).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Text -> the crates that come under it, so that a text many share stands once. */
function collect(crates) {
  const byText = new Map([[rustStandardLibrary, ['the Rust standard library: MIT']]])
  for (const crate of crates) {
    const { licences, texts } = licenceOf(crate)
    for (const entry of texts) {
      if (!byText.has(entry)) byText.set(entry, [])
      byText.get(entry).push(`${crate.name} ${crate.version}: ${licences}`)
    }
  }
  return byText
}

function licenceOf({ name, license, manifest_path, authors }) {
  if (!license) throw new Error(`${name} states no licence`)
  const folder = dirname(manifest_path)
  const files = readdirSync(folder)
    .filter((file) => isLicence.test(file))
    .sort()
  const read = (file) => normal(readFileSync(join(folder, file), 'utf8'))

  // `(A OR B) AND C`: one of each group; the older spelling A/B means OR
  const groups = license.split(' AND ').map((group) => group.replace(/[()]/g, '').split(/ OR |\//))
  const chosen = groups.map((offers) => {
    const licence = preference.find((id) => offers.includes(id) && allowed.has(id))
    if (!licence) throw new Error(`${name} is ${license}, which deny.toml does not allow`)
    return licence
  })

  if (chosen.length > 1) return { licences: chosen.join(' AND '), texts: files.map(read) }
  const [licence] = chosen
  const named = files.find((file) => fileOf[licence]?.test(file))
  // with one licence only, whatever the file is called
  const file = named ?? (groups[0].length === 1 ? files[0] : undefined)
  // what the crate itself took from others
  const inherited = files.filter((name) => /third/i.test(name)).map(read)
  if (file) return { licences: licence, texts: [read(file), ...inherited] }
  if (licence !== 'MIT') throw new Error(`${name} is ${licence} and comes without its text`)
  return { licences: licence, texts: [mit(authors.join(', ') || `the authors of ${name}`)] }
}

function render(byText) {
  const parts = [...byText].map(([entry, crates]) => `${crates.map((crate) => `* ${crate}`).join('\n')}\n\n${entry}\n`)
  return [
    'Quorlock itself is under the MIT licence, see LICENSE. The native addon contains the works below, each under the\n' +
      'terms that follow its name. Where a work offers a choice of licences, the one chosen is named.\n',
    ...parts,
  ].join(`\n${'-'.repeat(100)}\n\n`)
}

function normal(text) {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[ \t]+$/gm, '')
    .trim()
}
