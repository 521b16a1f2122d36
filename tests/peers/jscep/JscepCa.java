import java.io.File;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;
import org.bouncycastle.asn1.pkcs.Attribute;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CRLConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v2CRLBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.jscep.server.ScepServlet;
import org.jscep.transaction.FailInfo;
import org.jscep.transaction.OperationFailureException;
import org.jscep.transaction.TransactionId;
import org.jscep.transport.response.Capability;

/**
 * A CA on jscep's servlet, for the tests: `java -cp 'JARS/*' JscepCa.java DIR CHALLENGE`.
 *
 * Listens on a free port of 127.0.0.1 and says so in one line, `URL FINGERPRINT`. What it does is
 * told by files of DIR, looked at with each request: `ra` (at the start: an RA with one certificate
 * stands in front), `manual` (what is asked for waits as long as the file is there), `denied` (what
 * waits is refused), `rollover` (the next CA has taken over). It writes `ca.pem`, `next.pem`,
 * `issued-SERIAL.pem`; a file `revoked-SERIAL` puts that certificate on the list.
 */
public final class JscepCa extends ScepServlet {
    private static final Duration LIFE = Duration.ofDays(365);
    private static final String DIGEST = "SHA256withRSA";

    /** A name with its key and certificate. */
    private record Identity(PrivateKey key, X509Certificate certificate) {}

    private final Path folder;
    private final String challenge;
    private final Identity current;
    private final Identity next;
    private final Identity authority;
    private final Map<String, PKCS10CertificationRequest> waiting = new ConcurrentHashMap<>();
    private final Map<BigInteger, X509Certificate> issued = new ConcurrentHashMap<>();

    private JscepCa(Path folder, String challenge) throws Exception {
        this.folder = folder;
        this.challenge = challenge;
        current = authority("CN=jscep CA,O=Lab,C=DE");
        next = authority("CN=jscep CA 2,O=Lab,C=DE");
        authority = has("ra") ? registrar() : null;
        write("ca.pem", current.certificate());
        write("next.pem", next.certificate());
    }

    public static void main(String[] words) throws Exception {
        JscepCa servlet = new JscepCa(Path.of(words[0]), words[1]);
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(words[0]);
        tomcat.setHostname("127.0.0.1");
        tomcat.setPort(0);
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        Context context = tomcat.addContext("", new File(words[0]).getAbsolutePath());
        Tomcat.addServlet(context, "scep", servlet);
        context.addServletMappingDecoded("/scep/pkiclient.exe", "scep");
        tomcat.start();
        int port = tomcat.getConnector().getLocalPort();
        byte[] certificate = servlet.current.certificate().getEncoded();
        String print = HexFormat.of().formatHex(
            MessageDigest.getInstance("SHA-256").digest(certificate));
        System.out.println("http://127.0.0.1:" + port + "/scep/pkiclient.exe " + print);
        System.out.flush();
        tomcat.getServer().await();
    }

    @Override
    protected Set<Capability> doCapabilities(String identifier) {
        return EnumSet.of(Capability.AES, Capability.GET_NEXT_CA_CERT, Capability.SHA_256,
            Capability.SHA_1, Capability.TRIPLE_DES, Capability.POST_PKI_OPERATION);
    }

    @Override
    protected List<X509Certificate> doGetCaCertificate(String identifier) {
        X509Certificate ca = issuer().certificate();
        return authority == null ? List.of(ca) : List.of(authority.certificate(), ca);
    }

    @Override
    protected List<X509Certificate> getNextCaCertificate(String identifier) {
        return has("rollover") ? List.of() : List.of(next.certificate());
    }

    @Override
    protected List<X509Certificate> doEnrol(PKCS10CertificationRequest request,
            X509Certificate sender, TransactionId id) throws Exception {
        boolean renewal = sender.equals(issued.get(sender.getSerialNumber()));
        if (!renewal && !challenge.equals(password(request))) {
            throw new OperationFailureException(FailInfo.badRequest);
        }
        if (has("manual")) {
            waiting.put(id.toString(), request);
            return List.of();
        }
        return List.of(issue(request));
    }

    @Override
    protected List<X509Certificate> doGetCertInitial(X500Name issuer, X500Name subject,
            TransactionId id) throws Exception {
        if (!waiting.containsKey(id.toString())) {
            throw new OperationFailureException(FailInfo.badCertId);
        }
        if (has("denied")) {
            waiting.remove(id.toString());
            throw new OperationFailureException(FailInfo.badRequest);
        }
        return has("manual") ? List.of() : List.of(issue(waiting.remove(id.toString())));
    }

    @Override
    protected List<X509Certificate> doGetCert(X500Name issuer, BigInteger serial) {
        X509Certificate found = issued.get(serial);
        return found == null ? List.of() : List.of(found);
    }

    @Override
    protected X509CRL doGetCrl(X500Name issuer, BigInteger serial) throws Exception {
        Date now = new Date();
        JcaX509v2CRLBuilder list = new JcaX509v2CRLBuilder(issuer().certificate(), now);
        list.setNextUpdate(Date.from(now.toInstant().plus(Duration.ofDays(1))));
        for (BigInteger one : issued.keySet()) {
            if (has("revoked-" + one.toString(16))) {
                list.addCRLEntry(one, now, 0);
            }
        }
        return new JcaX509CRLConverter().getCRL(
            list.build(new JcaContentSignerBuilder(DIGEST).build(issuer().key())));
    }

    @Override
    protected PrivateKey getRecipientKey() {
        return front().key();
    }

    @Override
    protected X509Certificate getRecipient() {
        return front().certificate();
    }

    @Override
    protected PrivateKey getSignerKey() {
        return front().key();
    }

    @Override
    protected X509Certificate getSigner() {
        return front().certificate();
    }

    @Override
    protected X509Certificate[] getSignerCertificateChain() {
        return new X509Certificate[] {front().certificate()};
    }

    private Identity issuer() {
        return has("rollover") ? next : current;
    }

    private Identity front() {
        return authority == null ? issuer() : authority;
    }

    private boolean has(String name) {
        return Files.exists(folder.resolve(name));
    }

    private static Identity authority(String name) throws Exception {
        KeyPair pair = pair();
        X500Name self = new X500Name(name);
        X509v3CertificateBuilder draft = draft(self, self, BigInteger.ONE,
            SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()));
        draft.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        return new Identity(pair.getPrivate(), signed(draft, pair.getPrivate()));
    }

    private Identity registrar() throws Exception {
        KeyPair pair = pair();
        X509v3CertificateBuilder draft = draft(name(current), new X500Name("CN=jscep RA"),
            BigInteger.TWO, SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()));
        return new Identity(pair.getPrivate(), signed(draft, current.key()));
    }

    private X509Certificate issue(PKCS10CertificationRequest request) throws Exception {
        BigInteger serial = BigInteger.valueOf(1000L + issued.size());
        X509v3CertificateBuilder draft = draft(name(issuer()), request.getSubject(), serial,
            request.getSubjectPublicKeyInfo());
        Extensions asked = request.getRequestedExtensions();
        if (asked != null) {
            for (var kind : asked.getExtensionOIDs()) {
                draft.addExtension(asked.getExtension(kind));
            }
        }
        X509Certificate made = signed(draft, issuer().key());
        issued.put(serial, made);
        write("issued-" + serial.toString(16) + ".pem", made);
        return made;
    }

    private static KeyPair pair() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        return generator.generateKeyPair();
    }

    private static X500Name name(Identity identity) {
        byte[] subject = identity.certificate().getSubjectX500Principal().getEncoded();
        return X500Name.getInstance(subject);
    }

    private static X509v3CertificateBuilder draft(X500Name issuer, X500Name subject,
            BigInteger serial, SubjectPublicKeyInfo key) {
        Instant now = Instant.now();
        return new X509v3CertificateBuilder(issuer, serial, Date.from(now.minusSeconds(300)),
            Date.from(now.plus(LIFE)), subject, key);
    }

    private static X509Certificate signed(X509v3CertificateBuilder draft, PrivateKey key)
            throws Exception {
        return new JcaX509CertificateConverter().getCertificate(
            draft.build(new JcaContentSignerBuilder(DIGEST).build(key)));
    }

    private static String password(PKCS10CertificationRequest request) {
        Attribute[] found = request.getAttributes(PKCSObjectIdentifiers.pkcs_9_at_challengePassword);
        return found.length == 0 ? "" : found[0].getAttrValues().getObjectAt(0).toString();
    }

    private void write(String name, X509Certificate certificate) throws Exception {
        String text = "-----BEGIN CERTIFICATE-----\n"
            + java.util.Base64.getMimeEncoder(64, new byte[] {'\n'})
                .encodeToString(certificate.getEncoded())
            + "\n-----END CERTIFICATE-----\n";
        Path staged = Files.writeString(folder.resolve(name + ".new"), text);
        Files.move(staged, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }
}
