'use strict'

// Too little CPU: others that want it all, and a quota of the kernel (cgroups, of either version, where this process may
// make one).

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

/** Until whoever started it is gone, at the latest. */
const BURN = 'const parent = process.ppid; while (process.ppid === parent);'

/** Processes that want `count` CPUs for as long as test `t` runs. */
function burn(t, count = 2 * os.availableParallelism()) {
  const burners = Array.from({ length: count }, () => spawn(process.execPath, ['-e', BURN], { stdio: 'ignore' }))
  t.after(() => burners.map((burner) => burner.kill('SIGKILL')))
}

/** Where groups are made, and how one is told its quota: by what it is called in each version. */
const versions = [
  { root: '/sys/fs/cgroup/cpu', limit: (share) => ['cpu.cfs_quota_us', String(100_000 * share)] },
  { root: '/sys/fs/cgroup', limit: (share) => ['cpu.max', `${100_000 * share} 100000`] },
]

/**
 * Gives all of `pids` together `share` of one CPU, in slices of 100 ms, until test `t` is over. False where that cannot
 * be done.
 */
function quota(t, pids, share) {
  for (const { root, limit } of versions) {
    const group = path.join(root, `quorlock-${process.pid}`)
    const [name, value] = limit(share)
    try {
      fs.mkdirSync(group)
      // Where the controller is not to be had there is no such file, and none can be made.
      fs.writeFileSync(path.join(group, name), value, { flag: 'r+' })
      for (const pid of pids) fs.writeFileSync(path.join(group, 'cgroup.procs'), String(pid))
    } catch {
      if (fs.existsSync(group)) fs.rmdirSync(group)
      continue
    }
    t.after(() => {
      const back = path.join(root, 'cgroup.procs')
      // A group can be removed when nobody is left in it.
      for (const pid of fs.readFileSync(path.join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) {
        fs.writeFileSync(back, pid)
      }
      fs.rmdirSync(group)
    })
    return true
  }
  return false
}

module.exports = { burn, quota }
