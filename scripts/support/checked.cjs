// Loaded before everything else in each process and thread of `npm run test:memory`: takes the checked addon instead of the
// one in native/, and leaves programs that are not Node.js alone.

const childProcess = require('node:child_process')
const path = require('node:path')

const native = path.join(__dirname, '..', '..', 'native') + path.sep
const { dlopen } = process
process.dlopen = (module, file, ...rest) => {
  const isOurs = path.resolve(file).startsWith(native)
  return dlopen.call(process, module, isOurs ? process.env.QUORLOCK_CHECKED_ADDON : file, ...rest)
}

for (const name of ['spawn', 'spawnSync']) {
  const start = childProcess[name]
  childProcess[name] = (program, args, options = {}) => {
    const { LD_PRELOAD, ...env } = options.env ?? process.env
    const isNode = program === process.execPath
    return start(program, args, isNode ? options : { ...options, env })
  }
}
