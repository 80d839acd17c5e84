// Jobs come as lines of JSON on standard input, in the place of your queue; what became of each goes to standard output.
import { createInterface } from 'node:readline'
import { createClient, EvergrantError } from '@evergrant/sdk'
import { createWorker, type Job } from './worker.ts'

const { EVERGRANT_URL = 'http://localhost:4400', EVERGRANT_API_KEY, PROVIDER_API = 'http://localhost:4401/p4' } = process.env
if (EVERGRANT_API_KEY === undefined) throw new Error('EVERGRANT_API_KEY is missing: evergrant api-keys create --name worker --scope tokens:read')

const work = createWorker({ evergrant: createClient({ url: EVERGRANT_URL, apiKey: EVERGRANT_API_KEY }), apiBase: PROVIDER_API })
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === '') continue
  const job: Job = JSON.parse(line)
  try {
    console.log(JSON.stringify({ job: job.id, ...(await work(job)) }))
  } catch (error) {
    if (!(error instanceof EvergrantError)) throw error
    // This job and those behind it stay in the queue: whoever runs the worker gives it another key.
    console.error(`The API key of this worker is refused (${error.code}): ${error.message}`)
    process.exit(1)
  }
}
