import { vi } from 'vitest'
import { PATIENCE_MS } from './patience-time.ts'

const { waitFor } = vi

/** `vi.waitFor` gives up after a second unless it is told otherwise, and there is no setting for it: here it is as patient as `expect.poll`. */
vi.waitFor = (callback, options) => waitFor(callback, typeof options === 'number' ? options : { timeout: PATIENCE_MS, ...options })

/** What waits for elements gives up after a second, too. Only where there is a page: elsewhere nobody reads React. */
if ('document' in globalThis) {
  const { configure } = await import('@testing-library/react')
  configure({ asyncUtilTimeout: PATIENCE_MS })
}
