/** `https://{shop}.myshopify.com/...`: names in braces come from variables (integration, then connection) or facts. */
export type Template = string
/**
 * Dotted path into an answer: `body.access_token`, `authed_user.id`, `0.id`. `*` stands for every element of an array
 * (`errors.*.resource`): a condition then holds when one of them fits; an account takes the smallest, so that the order does not matter.
 * Where an account is read, `a + b` joins two values with a colon.
 * `header:X-Subject-Token`, `cookie:SESSION`, `cookie:SESSION;max-age` and `cookie:SESSION;expires` lead beside the body, where the status is a success.
 */
export type AnswerPath = string
