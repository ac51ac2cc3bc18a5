// SPDX-License-Identifier: BSL-1.0
#include "real/web_server.hpp"

#include <pwd.h>
#include <stdexcept>
#include <utility>

#include <unistd.h>

namespace waybill::test {
namespace {

// Apache refuses to serve as root: then it serves as Debian's user for it, who must get at its files.
constexpr const char* apache_user = "www-data";

void give_to_apache(const std::filesystem::path& dir) {
    const passwd* const user = ::getpwnam(apache_user);
    if (user == nullptr || ::chown(dir.c_str(), user->pw_uid, user->pw_gid) != 0) {
        throw std::runtime_error("cannot give " + dir.string() + " to " + apache_user);
    }
}

}  // namespace

web_server::web_server(kind which, std::optional<server_identity> tls, std::string locations)
    : kind_(which), tls_(std::move(tls)), port_(free_port()) {
    for (const char* const folder : {"root/dav", "root/denied", "root/small", "locks", "temp"}) {
        std::filesystem::create_directories(dir_.path() / folder);
    }
    if (kind_ == kind::apache && ::geteuid() == 0) {
        std::filesystem::permissions(dir_.path(), std::filesystem::perms(0711));
        for (const char* const folder : {"root/dav", "root/small", "locks"}) {
            give_to_apache(dir_.path() / folder);
        }
    }
    dir_.write("server.conf", kind_ == kind::nginx ? nginx_configuration(locations) : apache_configuration());
    start();
}

void web_server::start() {
    process_.reset();
    const std::string configuration = dir_ / "server.conf";
    command_line what;
    if (kind_ == kind::nginx) {
        what.argv = {"nginx", "-e", dir_ / "error.log", "-p", dir_.path().string(), "-c", configuration};
    } else {
        what.argv = {"apache2", "-DFOREGROUND", "-f", configuration};
    }
    what.out_file = dir_ / "error.log";
    what.err_file = dir_ / "error.log";
    process_.emplace(what);
    process_->wait_for_port(port_);
}

std::string web_server::url(const std::string& path, const std::string& host) const {
    return (tls_ ? "https://" : "http://") + host + ":" + std::to_string(port_) + path;
}

std::string web_server::nginx_configuration(const std::string& locations) const {
    std::string text;
    if (::geteuid() == 0) {
        text += "user root;\n";  // else its workers could not write here
    }
    text += "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log " + (dir_ / "error.log") +
            " warn;\nevents { worker_connections 64; }\nhttp {\n"
            "log_format requests '$request_method $request_uri $status $request_length $connection_requests';\n"
            "access_log " +
            (dir_ / "access.log") + " requests;\n";
    for (const char* const folder : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
        text += folder + std::string("_temp_path temp/") + folder + ";\n";
    }
    text +=
        "client_max_body_size 0;\nserver {\nlisten 127.0.0.1:" + std::to_string(port_) + (tls_ ? " ssl" : "") + ";\n";
    if (tls_) {
        text += "ssl_certificate " + tls_->certificate_file + ";\nssl_certificate_key " + tls_->key_file + ";\n";
    }
    return text + "root " + (dir_ / "root") +
           ";\n"
           "location /dav/ { dav_methods PUT; }\n"
           "location /denied/ { deny all; }\n"
           "location /small/ { dav_methods PUT; client_max_body_size 1m; }\n" +
           locations + "}\n}\n";
}

std::string web_server::apache_configuration() const {
    const std::string dir = dir_.path().string();
    std::string text = "ServerRoot " + dir + "\nPidFile apache.pid\nDefaultRuntimeDir " + dir +
                       "\nServerName localhost\nListen 127.0.0.1:" + std::to_string(port_) +
                       "\nErrorLog error.log\nDocumentRoot root\nDAVLockDB locks/db\n";
    for (const char* const module : {"mpm_event", "authz_core", "dav", "dav_fs", "dav_lock"}) {
        text += "LoadModule " + std::string(module) + "_module /usr/lib/apache2/modules/mod_" + module + ".so\n";
    }
    if (::geteuid() == 0) {
        text += "User " + std::string(apache_user) + "\nGroup " + apache_user + "\n";
    }
    if (tls_) {
        text += "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\nSSLEngine on\nSSLCertificateFile " +
                tls_->certificate_file + "\nSSLCertificateKeyFile " + tls_->key_file + "\n";
    }
    return text + "<Directory " + dir + "/root>\nRequire all granted\n</Directory>\n" +      //
           "<Directory " + dir + "/root/dav>\nDav On\nLimitRequestBody 0\n</Directory>\n" +  //
           "<Directory " + dir + "/root/denied>\nRequire all denied\n</Directory>\n" +       //
           "<Directory " + dir + "/root/small>\nDav On\nLimitRequestBody 1048576\n</Directory>\n";
}

}  // namespace waybill::test
