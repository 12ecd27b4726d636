#!/usr/bin/env python3
"""Opens a release that `daylight seal` sealed, without daylight: docs/envelope.md in some 150 lines.

    python3 unseal.py SEALED RELEASE.tar SHARE...

SEALED is the sealed file, each SHARE a file with one trustee's words (lines that begin with # are passed over), RELEASE.tar what to write: a tar file
with the release as an archive of its own. It needs Python 3.9 and the package `cryptography`. Everything is read here as strictly as daylight reads it,
and RELEASE.tar is there only if all of SEALED was as it was written. Which editors approved the release is in its file `seal`, which this does not check.
"""

import base64
import hashlib
import hmac
import os
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

# The words of SLIP-0039 (SatoshiLabs, MIT licence) by their first four letters, which no other word has.
WORDS = (
    "acadacidacneacquacroactiactradapadeqadjuadmiadoraduladvaadvoafraagaiagenagreaideaircairlairpajaralaralbualcoaliealivalphalrealtoalumalwa"
    "amazambiamouamusanalanatanceanciangeangranimanswanteanxiaparaquaarcaarenarguarmeartiartwaspeauctauguauntaveraviaavoiawarawayaxisaxlebeam"
    "bearbeavbecobedrbehabeinbelibelobenebestbeyobikebiolbirtbishblacblanblesblimblinbluebodyboltboribornbothbounbracbranbravbreabriebrokbrot"
    "browbuckbudgbuilbulbbulgbumpbundburdburnbusybuyecagecalccamecampcanycapacapicaptcarbcardcarecargcarpcarvcatecausceilcentcerachamchanchar"
    "checchemcheschewchubcineciviclasclaycleaclieclimclinclocclogclosclotclubcluscoalcoascodicolucompcorncostcouncourcovecowbcradcrafcrazcred"
    "criccrimcriscritcrowcruccruncruscryscubicultcuricurlcustcylidaisdamadancdarkdatadaugdeaddealdebrdebudecedecidecldecodecrdelidemadensdeny"
    "depadepedepidepldescdesedesideskdestdetadetedevidevodiagdictdietdiledimidinidipldisadiscdisedishdismdispdistdivedivodocudomadomedomidoug"
    "downdragdramdreadresdrifdrindrovdrugdryeduckdukeduradwardynaearlearteaseeasyechoecliecoledgeediteduceithelboeldeelecelegelemelepelevelit"
    "elseemaiemeremisempeemphemplemptendiendlendoenemenerenfoengaenjoenlaentrenveenvyepidepisequaequieraserodescaestaestievalevenevidevilevok"
    "exacexamexceexchexclexcuexecexerexhaexotexpaexpeexplexprexteextreyebfacifactfailfainfakefalsfamifamofancfangfantfatafatifavofawnfibefict"
    "filtfinafindfingfirefirmfiscfishfitnflamflasflavfleaflexflipfloaflorfluffocuforbforcforeforgformfortforwfounfracfragfreqfresfriafridfrie"
    "frosfrotfrozfumefundfurlfusegalagamegarbgardgarlgasogathgenegenigenrgenugeolgestgladglanglasglenglimgoatgoldgradgrangrasgravgraygreagrie"
    "grilgringrocgrosgrougrowgrumguarguesguilguitgumshairhamshandhangharvhavehavohawkhazaheadhealhearheathelpheraherdhesihoboholiholyhomehorm"
    "hosphourhugehumahumihunthusbhushhuskhybrideaidenidleimagimpaimplimprimpuinclincoincrindeindiinduinfainfoinheinjuinmainseinsiinstinteinti"
    "invainvoirisislaisolitemivorjackjerkjewejoinjudijuicjumpjuncjunijunkjuryjustkernkeybkidnkindkitcknifknitladeladlladylairlamplanglarglase"
    "launlawsleadleaflearleavlectlegalegelegslendlenglevelibelibrliceliftlikelilalilylipsliqulistlitelivilizaloanlobelocalosiloudloyaluckluna"
    "lunclungluxulyinlyrimachmagamaidmailmainmakemakimamamanamandmansmanumaramarcmarkmarvmasomatemathmaximayomeanmedamedimembmemomentmercmeri"
    "methmetrmidsmildmilimineminimiramixemixtmobimodemodimoismomemornmortmothmounmousmovemuchmulemultmuscmusemusimustnailnatineckneganervnetw"
    "newsnuclnumbnumenylooasiobesobjeobseobtaoceaofteolymomitoraloranorbiordeordiorgaouncovenoverownepacepacipackpaidpainpajapancpantpapapape"
    "parcparkpartpatepatrpaympayrpeacpeanpeaspecapenapencpercperfpermpetiphanpharphotphraphyspickpictpiecpilepinkpipepistpitcplaiplanplasplat"
    "playpleaplotplunpracpraypreapredpregprempreppresprevprieprimprioprisprivprizprobprocprofprogpromprosprovprunpublpulspumppunipunypupapurc"
    "purppythquanquarquicquieraceraciradarailrainraisrandrankrapiraspreacrealreboreburecarecerecoregrregurejerelaremeremiremorendrepareperepl"
    "requrescreseresirespresuretaretrreunreverevirewarhymrhytrichrivariverobirockromaromprostrounroyaruinrulerumosacksafasalasalosaltsatisato"
    "savesaysscanscarscatscenschosciescouscrascrescriscroseafseassecrsecusegmsenishadshafshamshapsharshelshershorshoushrisidesilesilvsimisimp"
    "singsistskinskunslapslavsledslicslimslowslussmarsmeasmelsmirsmitsmoksmugsnaksnapsnifsocisoftsoldsolusoulsourspacsparspeaspecspelspenspew"
    "spidspilspinspirspitsprasprisquasquestadstafstanstarstatstaysteastepsticstilstorstrastristylsubjsubmsugasuitsunlsupesurfsurpsurvsweaswim"
    "swinswitsymbsympsyndsysttacktacttadptaletasktasttaugtaxiteacteamteastemptenatendtenstermtesttextthanthattheatheotherthorthrethumthuntick"
    "tidytimbtimetingtofutogetoletotatoxitractraftraitrantrastravtreatrentriatrictriptriutroutruetrustwictwintypetypiuglyultiumbruncoundeunfa"
    "unfounhauniounivunkiunknunusunwrupgrupstuserusheusuavalivaluvampvanivarivegavelvventverdveriveryvetevexevictvideviewvintviolviravisivisu"
    "vitavocavoicvoluvotevotiwalnwarmwarnwatcwavywealweapwebcwelcwelfwestwidtwildwindwinewirewisdwithwitswolfwomaworkwortwrapwriswritwrotyear"
    "yelpyielyogazero"
)
PLACES = {WORDS[at : at + 4]: at // 4 for at in range(0, 4096, 4)}
CHUNK = 64 * 1024


class Refused(Exception):
    pass


# --- the words -------------------------------------------------------------------------------------------------------------------------


def checksum_is_right(custom, words):
    generator = (0xE0E040, 0x1C1C080, 0x3838100, 0x7070200, 0xE0E0009, 0x1C0C2412, 0x38086C24, 0x3090FC48, 0x21B1F890, 0x3F3F120)
    residue = 1
    for value in list(custom) + words:
        high, residue = residue >> 20, (residue & 0xFFFFF) << 10 ^ value
        for bit in range(10):
            residue ^= generator[bit] if high >> bit & 1 else 0
    return residue == 1


def read_share(path):
    """(what all shares of the set have in common, the number of the share, how many are needed, its value)"""
    lines = open(path, encoding="utf-8").read().splitlines()
    words = " ".join(line for line in lines if not line.lstrip().startswith("#")).lower().split()
    try:
        words = [PLACES[word[:4]] for word in words]
    except KeyError as error:
        raise Refused(f"{path}: no share has a word that begins with {error}") from None
    if len(words) != 33:
        raise Refused(f"{path}: {len(words)} words; a share of a sealed release has 33")
    head = 0
    for word in words[:4]:
        head = head << 10 | word
    if not checksum_is_right(b"shamir_extendable" if head >> 24 & 1 else b"shamir", words):
        raise Refused(f"{path}: a word is wrong, or two stand in the wrong order")
    value = 0
    for word in words[4:-3]:
        value = value << 10 | word
    if head >> 8 & 0xFFF or value >> 256:
        raise Refused(f"{path}: not a share of a sealed release")
    return head >> 20, head >> 4 & 15, (head & 15) + 1, value.to_bytes(32, "big")


def multiply(a, b):
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a, b = (a << 1) ^ (0x11B if a & 0x80 else 0), b >> 1
    return product


def at(points, x):
    """The values at x of the polynomials through the points, byte by byte."""
    out = bytearray(32)
    for place, value in points:
        above = below = 1
        for other, _ in points:
            if other != place:
                above, below = multiply(above, x ^ other), multiply(below, place ^ other)
        weight = multiply(above, next(inverse for inverse in range(256) if multiply(below, inverse) == 1))
        for index, byte in enumerate(value):
            out[index] ^= multiply(weight, byte)
    return bytes(out)


def key_of(paths):
    shares = [read_share(path) for path in paths]
    if not shares or any(share[0] != shares[0][0] or share[2] != shares[0][2] for share in shares):
        raise Refused("the shares are not all of one set")
    terms, needed = shares[0][0], shares[0][2]
    points = sorted({share[1]: share[3] for share in shares}.items())[:needed]
    if len(points) < needed:
        raise Refused(f"{len(points)} different shares; {needed} are needed")
    secret, digest = (points[0][1], None) if needed == 1 else (at(points, 255), at(points, 254))
    if digest and hmac.digest(digest[4:], secret, "sha256")[:4] != digest[:4]:
        raise Refused("these shares do not belong together, or one of them was altered")
    salt = b"" if terms >> 4 & 1 else b"shamir" + (terms >> 5).to_bytes(2, "big")
    left, right = secret[:16], secret[16:]
    for turn in (3, 2, 1, 0):
        mixed = hashlib.pbkdf2_hmac("sha256", bytes([turn]), salt + right, 2500 << (terms & 15), 16)
        left, right = right, bytes(a ^ b for a, b in zip(left, mixed))
    return right + left


# --- the age file ----------------------------------------------------------------------------------------------------------------------


def unpadded(text):
    data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    if base64.b64encode(data).rstrip(b"=") != text:
        raise Refused("the header of the sealed file is damaged")
    return data


def hkdf(secret, salt, info):
    return HKDF(SHA256(), 32, salt, info).derive(secret)


def file_key(lines, key):
    kind, salt, work = lines[1].split(b" ")[1:]
    if lines[0] != b"age-encryption.org/v1" or kind != b"scrypt" or not 1 <= int(work) <= 20:
        raise Refused("not a sealed release")
    label = b"age-encryption.org/v1/scrypt" + unpadded(salt)
    wrapping = Scrypt(label, 32, 2 ** int(work), 8, 1).derive(key.hex().encode())
    try:
        found = ChaCha20Poly1305(wrapping).decrypt(bytes(12), unpadded(lines[2]), None)
    except InvalidTag:
        raise Refused("the shares are right, but belong to another sealed file") from None
    signed = b"\n".join(lines[:3]) + b"\n---"
    if not hmac.compare_digest(hmac.digest(hkdf(found, b"", b"header"), signed, "sha256"), unpadded(lines[3][4:])):
        raise Refused("the header of the sealed file is damaged")
    return found


def open_file(sealed, out, key):
    lines = [sealed.readline(200).rstrip(b"\n") for _ in range(4)]
    if len(lines[1].split(b" ")) != 4 or not lines[3].startswith(b"--- "):
        raise Refused("not a sealed release")
    aead = ChaCha20Poly1305(hkdf(file_key(lines, key), sealed.read(16), b"payload"))
    chunk, number = sealed.read(CHUNK + 16), 0
    while True:
        following = sealed.read(CHUNK + 16)
        try:
            out.write(aead.decrypt(number.to_bytes(11, "big") + (b"\0" if following else b"\1"), chunk, None))
        except InvalidTag:
            raise Refused("the sealed file is damaged or cut off") from None
        if not following:
            return
        chunk, number = following, number + 1


def main():
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    sealed, release, shares = sys.argv[1], sys.argv[2], sys.argv[3:]
    part = release + ".part"
    try:
        key = key_of(shares)
        with open(sealed, "rb") as source, open(part, "wb") as out:
            open_file(source, out, key)
        os.rename(part, release)
    except (Refused, ValueError, OSError) as error:
        if os.path.exists(part):
            os.remove(part)
        print(f"unseal: {error}", file=sys.stderr)
        return 1
    print(f"opened; now: tar -xf {release}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
