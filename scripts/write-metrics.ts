// Writes docs/reference/metrics.md from the table of metrics.
import { writeFileSync } from 'node:fs'
import { metricsMarkdown } from '../packages/evergrant/src/observability/metrics-page.ts'

writeFileSync(new URL('../docs/reference/metrics.md', import.meta.url), metricsMarkdown())
