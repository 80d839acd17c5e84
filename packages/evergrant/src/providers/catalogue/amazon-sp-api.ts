import { AMAZON_VERDICTS } from '../amazon-verdicts.ts'
import { defineProvider } from '../define.ts'

export const amazonSpApi = defineProvider({
  id: 'amazon-sp-api',
  name: 'Amazon Selling Partner API',
  docs: 'https://developer-docs.amazon.com/sp-api/docs/authorizing-selling-partner-api-applications',
  setup: [
    'Register an SP-API application in the Developer Central of your Seller Central account, with the roles it needs.',
    'Enter {redirect_uri} as its OAuth redirect URI.',
    'Copy the application id into the variable app_id, and client id and secret of Login with Amazon into the integration.',
    'While the application is a draft, add version=beta to the authorize parameters of the integration.',
    'The client secret ends after 180 days: note the day on which it must be replaced.',
  ],
  variables: {
    app_id: { label: 'Id of the SP-API application', pattern: '[A-Za-z0-9.-]{1,200}', example: 'amzn1.sp.solution.00000000-0000-0000-0000-000000000000' },
    seller_central_host: {
      label: 'Seller Central host of the country',
      pattern: 'sellercentral(-[a-z]+)?(\\.amazon)(\\.[a-z]{2,3}){1,2}',
      example: 'sellercentral.amazon.com',
      askedOf: 'connection',
    },
    region: {
      label: 'Region of the API',
      pattern: 'na|eu|fe',
      example: 'na',
      askedOf: 'connection',
      choices: { na: { label: 'North America', sets: {} }, eu: { label: 'Europe', sets: {} }, fe: { label: 'Far East', sets: {} } },
    },
  },
  authorize: {
    url: 'https://{seller_central_host}/apps/authorize/consent',
    parameters: { application_id: '{app_id}' },
    omit: ['client_id', 'response_type'],
    scopeParameter: null,
    pkce: 'unsupported',
    callback: { code: 'spapi_oauth_code', facts: { selling_partner_id: 'selling_partner_id' } },
  },
  token: { url: 'https://api.amazon.com/auth/o2/token' },
  verdicts: AMAZON_VERDICTS,
  reuse: { class: 'P0', evidence: 'A refresh answers with the same refresh token.' },
  rotation: 'never',
  lifetimes: { accessSeconds: 3_600, refreshAbsoluteSeconds: 31_536_000, absoluteFrom: 'consent' },
  account: [{ from: 'callback', parameter: 'selling_partner_id' }],
  api: {
    base: 'https://sellingpartnerapi-{region}.amazon.com',
    authorization: { header: 'x-amz-access-token', prefix: '' },
    answers: [
      { status: [403], where: { 'errors.*.details': '/LWA secret token .* expired/i' }, means: 'not_about_the_token' },
      { status: [403], where: { 'errors.*.code': 'Unauthorized', 'errors.*.details': '/access token you provided/i' }, means: 'token_rejected' },
    ],
  },
  check: { request: { url: 'https://sellingpartnerapi-{region}.amazon.com/sellers/v1/marketplaceParticipations' } },
  samples: {
    exchange: { access_token: 'Atza|at-1', refresh_token: 'Atzr|rt-1', token_type: 'bearer', expires_in: 3_600 },
    refresh: { access_token: 'Atza|at-2', refresh_token: 'Atzr|rt-1', token_type: 'bearer', expires_in: 3_600 },
  },
  notes: [
    'There are no scopes: roles are set when the application is registered.',
    'Grants end 365 days after consent, or when a role is added. The answer carries no date.',
    'A dead access token answers with HTTP 403, and so does a client secret past its 180 days.',
    'One authorization per region. There is no revoke endpoint.',
    'Each operation has a token bucket of its own; x-amzn-RateLimit-Limit tells its rate, never what is left.',
  ],
  unverified: ['setup', 'authorize.pkce', 'check', 'limits'],
  sources: [
    'https://developer-docs.amazon.com/sp-api/docs/authorizing-selling-partner-api-applications',
    'https://github.com/amzn/selling-partner-api-models/issues/4112',
    'https://github.com/amzn/selling-partner-api-docs/issues/2379',
  ],
})
