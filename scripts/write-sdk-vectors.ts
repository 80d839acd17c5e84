import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { makeSdkVectors, vectorsText } from '../packages/evergrant/src/testing/sdk-vectors.ts'

// Afterwards: npm run format.
const file = new URL('../docs/reference/sdk-protocol-vectors.json', import.meta.url)
writeFileSync(file, vectorsText(await makeSdkVectors(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined)))
