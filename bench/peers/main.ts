// npm run bench -- peers [--short]
import { runPeers } from './run.ts'

console.log(JSON.stringify(await runPeers({ short: process.argv.includes('--short') }), null, 1))
process.exit(0)
