import { createApp } from './app.ts'

const {
  EVERGRANT_URL = 'http://localhost:4400',
  EVERGRANT_API_KEY,
  INTEGRATION = 'practice',
  PROVIDER_API = 'http://localhost:4401/p4',
  PORT = '3000',
} = process.env
if (EVERGRANT_API_KEY === undefined)
  throw new Error('EVERGRANT_API_KEY is missing: evergrant api-keys create --name express --scope tokens:read --scope connect')
const ownUrl = `http://localhost:${PORT}`

createApp({ evergrantUrl: EVERGRANT_URL, apiKey: EVERGRANT_API_KEY, integration: INTEGRATION, apiBase: PROVIDER_API, ownUrl }).listen(
  Number(PORT),
  '127.0.0.1',
  () => console.log(`listening at ${ownUrl}`),
)
