#!/usr/bin/env python3
"""Holds evergrant_agent.py to docs/reference/sdk-protocol-vectors.json: what it sends and what it does next. Exits 1 at the first difference.

    check_vectors.py [vectors.json]
"""
import json, os, re, sys, tempfile
from urllib.parse import urlsplit
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
import evergrant_agent as client

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'docs', 'reference', 'sdk-protocol-vectors.json')
SHAPES = {'ES256': ('EC', 'P-256', ('x', 'y')), 'EdDSA': ('OKP', 'Ed25519', ('x',))}
SERVER = 'https://evergrant.example'


def same(what, had, wanted):
    if had != wanted: sys.exit(f'{what}:\n  has    {json.dumps(had)}\n  wanted {json.dumps(wanted)}')


def is_signed(jwk, algorithm, data, signature):
    try:
        if len(signature) != 64: return False
        if algorithm == 'EdDSA':
            ed25519.Ed25519PublicKey.from_public_bytes(client.unb64(jwk['x'])).verify(signature, data)
        else:
            x, y, r, s = (int.from_bytes(part, 'big') for part in (client.unb64(jwk['x']), client.unb64(jwk['y']), signature[:32], signature[32:]))
            ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key().verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        return True
    except (InvalidSignature, ValueError):
        return False


def target(url):
    parts = urlsplit(url)
    host = re.sub(r':443$' if parts.scheme == 'https' else r':80$', '', parts.netloc.lower())
    path = re.sub('%([0-9A-Fa-f]{2})', lambda found: chr(int(found[1], 16)) if re.match(r'[\w.~-]', chr(int(found[1], 16)), re.A) else found[0].upper(), parts.path)
    return f'{parts.scheme}://{host}{path}'


def decoded(proof):
    """Header, claims and signature; None unless it is a compact JWS."""
    try:
        header, claims, signature = proof.split('.')
        return (json.loads(client.unb64(header)), json.loads(client.unb64(claims)), signature) if signature else None
    except ValueError:
        return None


def verdict(dpop, asked, nonce):
    """The first check of RFC 9449 section 4.3 that fails."""
    if not dpop: return 'missing'
    if len(dpop) > 1 or ',' in dpop[0]: return 'more_than_one'
    read = decoded(dpop[0]) if len(dpop[0]) <= 4096 else None
    if read is None: return 'malformed'
    header, claims, signature = read
    if header.get('typ') != 'dpop+jwt' or 'crit' in header: return 'type_wrong'
    if header.get('alg') not in SHAPES: return 'algorithm_refused'
    kty, crv, coordinates = SHAPES[header['alg']]
    jwk = header.get('jwk') or {}
    if set(jwk) & {'d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'}: return 'key_private'
    if (jwk.get('kty'), jwk.get('crv')) != (kty, crv) or any(len(jwk.get(name, '')) != 43 for name in coordinates): return 'key_wrong'
    if any(not isinstance(claims.get(name), kind) or claims[name] == '' for name, kind in (('jti', str), ('htm', str), ('htu', str), ('iat', int))): return 'claims_incomplete'
    if claims.get('nonce') == '': return 'claims_incomplete'
    if re.search('[^A-Za-z0-9_-]', signature) or not is_signed(jwk, header['alg'], dpop[0].rpartition('.')[0].encode(), client.unb64(signature)): return 'signature_wrong'
    if claims['htm'] != asked['method']: return 'method_wrong'
    if target(claims['htu']) != target(asked['url']): return 'target_wrong'
    if 'access_token' in asked and claims.get('ath') != client.digest(asked['access_token']): return 'access_token_wrong'
    if 'credential' in asked and claims.get('rth') != client.digest(asked['credential']): return 'credential_wrong'
    return 'accepted' if claims.get('nonce') == nonce else 'nonce_needed'


def check_proofs(vectors):
    for vector in vectors['proofs']:
        same(vector['title'], verdict(vector['dpop'], vector['request'], vectors['nonce']), vector['result'])
        if vector['thumbprint']: same(vector['title'], client.Key(decoded(vector['dpop'][0])[0]['jwk']).thumbprint, vector['thumbprint'])
    for jwk in (*vectors['keys'].values(), client.Key.make().jwk):
        asked = {'method': 'GET', 'url': f'{SERVER}/api/v1/connections?limit=1#x', 'access_token': 'token'}
        proof = client.Key(jwk).proof('GET', asked['url'], vectors['nonce'], access_token='token')
        same('a proof of the client', verdict([proof], asked, vectors['nonce']), 'accepted')


class Enough(Exception):
    """The request was seen."""


def check_exchange(folder, vector):
    """With what is given, the client sends this request to the last claim, and knows what to do with the answer."""
    given, wanted = vector['given'], vector['request']
    same(f"{vector['row']}, {vector['title']}: next", client.what_next(vector['answer']['status'], vector['answer']['body']), vector['next'])
    verb = wanted['path'].rpartition('/')[2]
    if verb not in ('refresh', 'recover'): return
    drawn = (['first'] if verb == 'recover' else []) + [given['jti'], given.get('next_jti')]
    client.new_attempt, client.time.time = lambda: drawn.pop(0), lambda: given['iat']
    sent = {}

    def send(method, url, headers, body):
        if verb == 'recover' and url.endswith('/refresh'): return 401, {'Content-Type': 'application/problem+json'}, b'{"code":"sdk_token_expired"}'
        sent.update(method=method, path=url.removeprefix(SERVER), dpop=headers['DPoP'], body=body)
        raise Enough

    agent = client.Agent(folder, send)
    agent.nonce = given['nonce']
    agent.save('credentials.json', {'server': SERVER, 'key': given['key'], 'refresh_token': given['credential'], 'generation': 1, 'renew_at': 0, 'over_at': 0})
    agent.save('intent.json', {'attempt_id': given['attempt_id'], 'from_generation': 1, **({'next_key': given['next_key']} if 'next_key' in given else {})})
    try:
        agent.credentials()
    except Enough:
        same(f"{vector['row']}, {vector['title']}: request", readable(sent), readable(wanted))


def readable(request):
    body = request['body']
    return request | {'dpop': claims_of(request['dpop']), 'body': body | {'next_key_proof': claims_of(body.get('next_key_proof'))}}


def claims_of(proof):
    return list(decoded(proof)[:2]) if proof else None


def main():
    with open(sys.argv[1] if len(sys.argv) > 1 else FILE) as file: vectors = json.load(file)
    for one in vectors['thumbprints']: same('a thumbprint', client.Key(one['jwk']).thumbprint, one['thumbprint'])
    for one in vectors['hashes']: same('rth', client.digest(one['credential']), one['hash'])
    check_proofs(vectors)
    with tempfile.TemporaryDirectory() as folder:
        for vector in vectors['exchanges']: check_exchange(folder, vector)
    print(json.dumps({name: len(vectors[name]) for name in ('thumbprints', 'hashes', 'proofs', 'exchanges')}))


if __name__ == '__main__':
    main()
