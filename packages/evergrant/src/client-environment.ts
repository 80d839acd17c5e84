/** Read by clients on the same machine, such as the SDK and the command line, and not by the server: it lets them pass. Those of the SDK stand in docs/guides/sdk-node.md. */
export const CLIENT_KEYS: readonly string[] = [
  'EVERGRANT_API_KEY',
  'EVERGRANT_ENROLMENT_CODE',
  'EVERGRANT_HOME',
  'EVERGRANT_KEYCHAIN',
  'EVERGRANT_MACHINE_ID',
  'EVERGRANT_PRIVATE_KEY',
  'EVERGRANT_PROFILE',
  'EVERGRANT_PROJECT_FILE',
  'EVERGRANT_URL',
  'EVERGRANT_WORKLOAD_AUDIENCE',
  'EVERGRANT_WORKLOAD_TOKEN_FILE',
]
