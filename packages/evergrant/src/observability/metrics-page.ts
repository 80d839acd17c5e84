import { METRICS, type MetricRow } from './metric-table.ts'

/** The page `docs/reference/metrics.md`, from the table. `node scripts/write-metrics.ts` writes it. */
export function metricsMarkdown(): string {
  return `# Metrics

\`GET /metrics\` of every node answers in the Prometheus text format, without a key: keep it inside your network.
This page is written from the table in the source; a test holds them together.

- No label names a connection, a person, an organization or an address. The number of series is bounded by the providers in use and by the tables named below.
- Names that do not begin with \`evergrant_\` are those of the Node process: memory, collections, open files, delay of the event loop.
- Counters start at zero with the process. \`evergrant_queue\` and \`evergrant_alerts_open\` are read from the database, so every node says the same.
- \`deploy/grafana/dashboard.json\` shows them, \`deploy/prometheus/alerts.yml\` watches them, and each alert has a [runbook](../runbooks/README.md).

| metric | kind | labels | meaning |
|---|---|---|---|
${METRICS.map(line).join('\n')}

Traces are sent where \`EVERGRANT_OTLP_ENDPOINT\` is set: see [observe](../guides/observe.md).
`
}

function line(metric: MetricRow): string {
  const { name, kind, help, more, buckets } = metric
  const labels = Object.entries(metric.labels).map(([label, bound]) => `\`${label}\`: ${bound}`)
  const ends = buckets === undefined ? '' : ` Buckets end at ${buckets.join(', ')}.`
  return `| \`${name}\` | ${kind} | ${labels.join('; ') || '-'} | ${help}${more === undefined ? '' : ` ${more}`}${ends} |`
}
