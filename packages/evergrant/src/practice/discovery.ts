import { type Answer, json } from './answer.ts'
import type { Realm } from './realm.ts'

/** RFC 8414 metadata, which OpenID Connect Discovery 1.0 clients can read as well. */
export function discoveryDocument(realm: Realm): Answer {
  const issuer = realm.issuer()
  const methods = ['client_secret_basic', 'client_secret_post']
  return json(200, {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    revocation_endpoint: `${issuer}/revoke`,
    introspection_endpoint: `${issuer}/introspect`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_methods_supported: methods,
    code_challenge_methods_supported: ['S256'],
    scopes_supported: realm.settings().scopes,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    claims_supported: ['sub', 'name', 'email'],
    authorization_response_iss_parameter_supported: true,
  })
}
