// Jobs come as lines of JSON on standard input, in the place of your queue; what became of each goes to standard output.
import { createInterface } from 'node:readline'
import { createClient } from '@evergrant/sdk'
import { createWorker, type Job } from './worker.ts'

const { EVERGRANT_URL = 'http://localhost:4400', EVERGRANT_API_KEY, PROVIDER_API = 'http://localhost:4401/p4' } = process.env
if (EVERGRANT_API_KEY === undefined) throw new Error('EVERGRANT_API_KEY is missing: evergrant api-keys create --name worker --scope tokens:read')

const work = createWorker({ evergrant: createClient({ url: EVERGRANT_URL, apiKey: EVERGRANT_API_KEY }), apiBase: PROVIDER_API })
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === '') continue
  const job: Job = JSON.parse(line)
  console.log(JSON.stringify({ job: job.id, ...(await work(job)) }))
}
