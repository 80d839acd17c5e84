import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { type LabelsOf, METRICS, type MetricName, type NamesOf } from './metric-table.ts'

type Labels<Name extends MetricName> = Readonly<Record<LabelsOf<Name>, string>>

/** The instruments of one process, made from the table: nothing that is not in it can be measured. No call throws. */
export interface Meters {
  count<Name extends NamesOf<'counter'>>(name: Name, labels: Labels<Name>, by?: number): void
  /** In the unit that the name says. */
  observe<Name extends NamesOf<'histogram'>>(name: Name, labels: Labels<Name>, value: number): void
  set<Name extends NamesOf<'gauge'>>(name: Name, labels: Labels<Name>, value: number): void
  /** Forgets every series of a gauge whose label values come and go. */
  clear(name: NamesOf<'gauge'>): void
  /** Prometheus text format 0.0.4. */
  text(): Promise<string>
}

export function createMeters(): Meters {
  const registry = new Registry()
  // Memory, open files, collections, and the delay of the event loop since the last reading.
  collectDefaultMetrics({ register: registry })
  const counters = new Map<string, Counter>()
  const gauges = new Map<string, Gauge>()
  const histograms = new Map<string, Histogram>()
  for (const metric of METRICS) {
    const { name, help, kind } = metric
    const options = { name, help, labelNames: Object.keys(metric.labels), registers: [registry] }
    if (kind === 'counter') counters.set(name, new Counter(options))
    if (kind === 'gauge') gauges.set(name, new Gauge(options))
    if (kind === 'histogram') histograms.set(name, new Histogram({ ...options, buckets: [...metric.buckets] }))
  }
  return {
    count: (name, labels, by = 1) => counters.get(name)?.inc(labels, by),
    observe: (name, labels, value) => {
      if (Number.isFinite(value)) histograms.get(name)?.observe(labels, value)
    },
    set: (name, labels, value) => gauges.get(name)?.set(labels, value),
    clear: (name) => gauges.get(name)?.reset(),
    text: () => registry.metrics(),
  }
}
