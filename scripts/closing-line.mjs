// A vitest reporter that counts: prints `N passed, N failed` as the last line, or leaves the numbers in the file
// that TEST_COUNTS_FILE names, for scripts/test.mjs to add to its own.
import { writeFileSync } from 'node:fs'

export const closingLine = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`

function countTests(modules, unhandledErrors) {
  const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
  for (const module of modules) {
    // A file that does not load has no tests; it must still count.
    if (module.errors().length > 0) counts.failed += 1
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') counts.passed += 1
      else if (state === 'skipped') counts.skipped += 1
      else counts.failed += 1
    }
  }
  return counts
}

export default class ClosingLine {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = countTests(modules, unhandledErrors)
    const file = process.env.TEST_COUNTS_FILE
    if (file === undefined) process.on('exit', () => console.log(closingLine(counts)))
    else writeFileSync(file, JSON.stringify(counts))
  }
}
