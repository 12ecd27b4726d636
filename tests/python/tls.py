"""An authority of our own, certificates of it, and a server that speaks TLS for one that does not.

    tls.py certificates FOLDER            authority.pem, stranger.pem, and NAME.pem with its key for each certificate below
    tls.py relay CERTIFICATE HOST:PORT    prints the port on which it listens, and hands on what comes there to HOST:PORT
"""
import asyncio
import datetime
import ipaddress
import pathlib
import ssl
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


def certificates(folder):
    now, (key, authority), (others, stranger) = datetime.datetime.now(datetime.timezone.utc), root("town"), root("stranger")
    here = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    made = {
        "good": (here, now - DAY, now + DAY, authority, key),
        "expired": (here, now - 2 * DAY, now - DAY, authority, key),
        "early": (here, now + DAY, now + 2 * DAY, authority, key),
        "elsewhere": ([x509.DNSName("papers.example")], now - DAY, now + DAY, authority, key),
        "strange": (here, now - DAY, now + DAY, stranger, others),
    }
    folder = pathlib.Path(folder)
    for name, certificate in [("authority", authority), ("stranger", stranger)]:
        (folder / f"{name}.pem").write_bytes(b"The authority of " + name.encode() + b"\n" + pem(certificate))
    for name, parts in made.items():
        own = ec.generate_private_key(ec.SECP256R1())
        private = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (folder / f"{name}.pem").write_bytes(pem(leaf(own, *parts)) + private)


def root(name):
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.timezone.utc)
    builder = begun(named(name), named(name), key, now - 3 * DAY, now + 3 * DAY)
    return key, builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())


def leaf(own, names, since, until, authority, key):
    builder = begun(named("site"), authority.subject, own, since, until)
    return builder.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(key, hashes.SHA256())


def begun(subject, issuer, key, since, until):
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return builder.serial_number(x509.random_serial_number()).not_valid_before(since).not_valid_after(until)


def named(name):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def relay(certificate, target):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    host, port = target.rsplit(":", 1)

    async def copy(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader, writer):
        try:
            there, to = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, to), copy(there, writer))

    async def listen():
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(listen())


{"certificates": certificates, "relay": relay}[sys.argv[1]](*sys.argv[2:])
