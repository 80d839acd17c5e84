// The unit of systemd, held to systemd's own checker.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Of 10; what `systemd-analyze security` calls "OK" ends at 4.0. */
const EXPOSURE_MAX = 1.5

/** @param {(title: string, ok: boolean, detail?: string) => void} say @param {(title: string, why: string) => void} leave */
export function checkSystemd(root, say, leave) {
  const unit = readFileSync(join(root, 'deploy/systemd/evergrant.service'), 'utf8')
  const stop = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])
  const drain = Number(/^EVERGRANT_DRAIN_SECONDS=(\d+)$/m.exec(readFileSync(join(root, 'deploy/systemd/evergrant.env'), 'utf8'))?.[1])
  say('the unit waits longer than a drain takes', stop > drain, `${stop} and ${drain}`)
  say('no secret stands in the unit or its settings', !/^Environment=EVERGRANT_(DATABASE_URL|MASTER_KEYS|SMTP_URL)=/m.test(unit))
  if (spawnSync('systemd-analyze', ['--version']).status !== 0)
    return leave('systemd-analyze verify and security', 'systemd is not installed here: apt-get install systemd')
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-unit-'))
  try {
    const file = join(folder, 'evergrant.service')
    // What the machine that checks does not have: the program and its settings.
    const here = unit.replace('/usr/bin/evergrant', '/bin/true').replace('/etc/evergrant/evergrant.env', '/dev/null')
    writeFileSync(file, here)
    const verified = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
    say('systemd-analyze verify has no complaint', verified.status === 0 && verified.stderr.trim() === '', verified.stderr)
    const rated = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', file], { encoding: 'utf8' })
    const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(rated.stdout)?.[1])
    say(`systemd-analyze security: ${exposure} of 10, at most ${EXPOSURE_MAX}`, exposure <= EXPOSURE_MAX)
    writeFileSync(file, here.replace('ProtectSystem=strict', 'ProtectSystm=strict'))
    say('systemd-analyze finds a misspelt line', spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' }).stderr.includes('ProtectSystm'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  leave('the unit is started', 'no systemd runs here as the first process')
}
