import { writeFileSync } from 'node:fs'
import { errorsMarkdown } from '../packages/evergrant/src/core/fault/errors-page.ts'

writeFileSync(new URL('../docs/errors.md', import.meta.url), errorsMarkdown())
