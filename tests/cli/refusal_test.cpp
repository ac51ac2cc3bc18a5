// SPDX-License-Identifier: BSL-1.0
#include "cli/command.hpp"
#include "support/catch.hpp"

#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

using namespace waybill::test;

namespace {

/// One way to ask for what cannot be done, and the words that must answer it.
struct refusal {
    std::vector<std::string> arguments;
    std::string cause;
    std::string remedy;
};

void check_refused(const command& waybill, const refusal& r) {
    std::vector<std::string> arguments = {"add"};
    arguments.insert(arguments.end(), r.arguments.begin(), r.arguments.end());
    const finished_process done = waybill.run(arguments);
    INFO("add " << Catch::StringMaker<std::vector<std::string>>::convert(r.arguments));
    CHECK(done.status.code == 2);
    CHECK(done.out.empty());
    CHECK_THAT(done.err, Catch::Contains(r.cause) && Catch::Contains(r.remedy));
    // What was asked for may hold anything, but a terminal must not be made to obey it.
    CHECK(done.err.find_first_of("\r\033") == std::string::npos);
    CHECK(lines_of(done.err).size() <= 2);
}

void check_all_refused(const command& waybill, const std::vector<refusal>& all) {
    for (const refusal& r : all) {
        check_refused(waybill, r);
    }
    CHECK(waybill.list().empty());
}

}  // namespace

TEST_CASE("a malformed URL or an unknown scheme is refused by name") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    check_all_refused(waybill, {
                                   {{"--to", "", file}, "not a usable URL", "write it as https://host/path"},
                                   {{"--to", "http://", file}, "not a usable URL", "write it as"},
                                   {{"--to", "http://[::1/x", file}, "not a usable URL", "write it as"},
                                   {{"--to", "http://host:99999/", file}, "not a usable URL", "write it as"},
                                   {{"--to", "just words", file}, "space or control character", "write it as"},
                                   {{"--to", "http://a b/", file}, "space or control character", "write it as"},
                                   {{"--to", "http://host/a\r\nX: y", file}, "control character", "write it as"},
                                   {{"--to", "http://me:pw@host/", file}, "user information", "without user name"},
                                   {{"--to", "http://host/#top", file}, "has a fragment", "without"},
                                   {{"--to", "ftp://host/", file}, "ftp", "use http:// or https://"},
                                   {{"--to", "file:///etc/passwd", file}, "file", "use http:// or https://"},
                               });
}

TEST_CASE("a URL with a password is refused without showing the password") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    const finished_process done = waybill.run({"add", "--to", "http://me:hunter2@example.com/", file});
    CHECK(done.status.code == 2);
    CHECK_THAT(done.err, !Catch::Contains("hunter2"));
}

TEST_CASE("headers that would break the request, or store a secret, are refused by name") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    const auto with = [&](const std::string& header) {
        return std::vector<std::string>{"--to", "http://host/", "--header", header, file};
    };
    check_all_refused(waybill, {
                                   {with("Content-Length: 3"), "Content-Length", "cannot be set on a job"},
                                   {with("host: elsewhere"), "host", "cannot be set on a job"},
                                   {with("Transfer-Encoding: chunked"), "Transfer-Encoding", "cannot be set"},
                                   {with("Idempotency-Key: mine"), "Idempotency-Key", "credentials provider"},
                                   {with("Authorization: Bearer x"), "Authorization is a secret", "credentials"},
                                   {with("Cookie: a=b"), "Cookie is a secret", "credentials provider"},
                                   {with("X-Api-Key: k"), "X-Api-Key is a secret", "credentials provider"},
                                   {with("X: a\r\nY: b"), "the value of X", "single line"},
                                   {with("X: a\nb"), "the value of X", "single line"},
                                   {with("X\r\nY: b"), "X  Y", "use a token as name"},
                                   {with("Two Words: b"), "Two Words", "use a token as name"},
                                   {with(": b"), "''", "use a token as name"},
                                   {with("no colon"), "no colon", "Name: value"},
                                   {with("content-type: image/jpeg"), "content-type", "--content-type"},
                               });
}

TEST_CASE("a secret header's value is not repeated in the refusal") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    const finished_process done =
        waybill.run({"add", "--to", "http://host/", "--header", "Authorization: Bearer hunter2", file});
    CHECK(done.status.code == 2);
    CHECK_THAT(done.err, !Catch::Contains("hunter2"));
}

TEST_CASE("control characters and odd shapes in fields, lanes and ids are refused by name") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    const auto posted = [&](const std::string& option, const std::string& value) {
        return std::vector<std::string>{"--to", "http://host/", "--via", "multipart", option, value, file};
    };
    check_all_refused(waybill, {
                                   {posted("--field", "a\r\nb=c"), "a  b", "not a valid form field"},
                                   {posted("--field", "=c"), "''", "not a valid form field"},
                                   {posted("--field", "no equals sign"), "no equals sign", "name=value"},
                                   {posted("--lane", "a\nb"), "a b", "not a valid lane"},
                                   {posted("--lane", std::string(129, 'x')), "xxx", "at most 128"},
                                   {posted("--id", "a b"), "a b", "not a valid job id"},
                                   {posted("--id", "a\r\nb"), "a  b", "not a valid job id"},
                                   {posted("--id", std::string(129, 'x')), "xxx", "1 to 128"},
                                   {posted("--id", ""), "--id", "1 to 128"},
                                   {{"--to", "http://host/", "--field", "a=b", file}, "PUT", "form field"},
                               });
}

TEST_CASE("files that are missing, or are no files, are refused by name") {
    const command waybill;
    const temp_dir& dir = waybill.dir();
    const std::string good = dir.write("a.bin", "content");
    std::filesystem::create_symlink(dir / "nothing", dir / "dangling");
    std::filesystem::create_symlink(dir / "loop", dir / "loop");
    REQUIRE(::mkfifo((dir / "fifo").c_str(), 0600) == 0);
    const auto with = [&](const std::string& file) {
        return std::vector<std::string>{"--to", "http://host/", good, file};
    };
    check_all_refused(waybill, {
                                   {with(dir / "missing"), "missing", "does not exist; correct the path"},
                                   {with(dir / "a.bin/below"), "below", "does not exist; correct the path"},
                                   {with(dir / "dangling"), "dangling", "does not exist; correct the path"},
                                   {with(""), "item ''", "do not leave it empty"},
                                   {with(dir.path().string()), dir.path().string(), "not a regular file"},
                                   {with(dir / ""), "directory", "not a regular file"},
                                   {with(dir / "fifo"), "fifo", "not a regular file"},
                                   {with(dir / "loop"), "loop", "not a regular file"},
                                   {with("/dev/null"), "/dev/null", "not a regular file"},
                               });
}

TEST_CASE("a file this user may not read is refused by name") {
    const command waybill;
    const std::string file = waybill.dir().write("secret.bin", "content");
    ::chmod(file.c_str(), 0000);
    command_line what = waybill.line({"add", "--to", "http://host/", file});
    if (::geteuid() == 0) {
        // Root may read everything: be somebody else.
        std::filesystem::permissions(waybill.dir().path(), std::filesystem::perms(0777));
        what.argv.insert(what.argv.begin(), {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
        what.argv[6] = waybill.dir() / "theirs/uploads.db";
        command_line may_run;
        may_run.argv = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "test", "-x", command_path()};
        if (run_process(may_run).status.code != 0) {
            WARN("not checked: the build directory is closed to other users");
            return;
        }
    }
    const finished_process done = run_process(what);
    INFO(done.err);
    CHECK(done.status.code == 2);
    CHECK(done.out.empty());
    CHECK_THAT(done.err, Catch::Contains("secret.bin") && Catch::Contains("give this user permission"));
}

TEST_CASE("a job without files is refused") {
    const command waybill;
    check_all_refused(waybill, {{{"--to", "http://host/"}, "FILE is required", "--help"}});
}

TEST_CASE("several files need a URL with a place for their names, and different names") {
    const command waybill;
    const std::string a = waybill.dir().write("a.bin", "1");
    const std::string b = waybill.dir().write("b.bin", "2");
    const std::string also_a = waybill.dir().write("other/a.bin", "3");
    check_all_refused(waybill, {
                                   {{"--to", "http://host/one", a, b}, "several items", "ends in / or contains {name}"},
                                   {{"--to", "http://host/", a, also_a}, "a.bin", "give them different names"},
                                   {{"--to", "http://host/", a, also_a}, also_a, "--name"},
                                   {{"--to", "http://host/", a, a}, "a.bin", "give them different names"},
                                   {{"--to", "http://host/", "--name", "x", a, b}, "1 name for 2 files", "each FILE"},
                               });
}

TEST_CASE("a refused job leaves the accepted ones alone") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    const std::string id = waybill.add({"--to", "http://host/", file});
    const auto before = waybill.list();
    check_refused(waybill, {{"--to", "http://host/", file, waybill.dir() / "missing"}, "missing", "correct the path"});
    CHECK(waybill.list() == before);
}

TEST_CASE("wrong usage ends with code 2 and says what is right") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    const std::vector<std::vector<std::string>> all = {
        {},
        {"deliver"},
        {"add", file},
        {"add", "--to", "http://host/", "--via", "pigeon", file},
        {"add", "--to", "http://host/", "--unknown", file},
        {"add", "--to", "http://host/", "--if-unknown", "hope", file},
        {"run", "--progress", "dance"},
        {"run", "--ca", waybill.dir() / "missing.pem"},
        {"run", "--cert", waybill.dir() / "missing.pem"},
        {"run", "--key", file},
        {"run", "--proxy-password", "HOME"},
        {"run", "--for", "soon"},
        {"run", "--for", "-1s"},
        {"run", "--for", "0"},
        {"run", "--attempts", "0"},
        {"run", "--credential", "http://host=NO_SUCH_VARIABLE"},
        {"add", "--to", "http://host/", "--via", "tus", "--chunk-size", "8Q", file},
        {"add", "--to", "http://host/", "--set", "content-type=a/b", file},
        {"add", "--to", "http://host/", "--set", "field=a", file},
        {"add", "--to", "http://host/", "--field", "a=b", file},
        {"add", "--to", "http://host/", "--file-field", "a", file},
        {"add", "--to", "http://host/", "--via", "tus", "--method", "POST", file},
        {"add", "--to", "http://host/", "--parallel", "many", file},
        {"add", "--to", "http://host/", "--content-type", "jpeg", file},
        {"add", "--to", "http://host/", "--name", "", file},
        {"show"},
        {"cancel"},
        {"retry"},
        {"remove"},
    };
    for (const auto& arguments : all) {
        INFO(Catch::StringMaker<std::vector<std::string>>::convert(arguments));
        const finished_process done = waybill.run(arguments);
        CHECK(done.status.code == 2);
        CHECK(done.out.empty());
        CHECK_THAT(done.err, Catch::Contains("--help"));
    }
    CHECK_FALSE(std::filesystem::exists(waybill.store()));
}

TEST_CASE("a secret that was typed where its variable's name belongs is not shown") {
    const command waybill;
    const std::vector<std::vector<std::string>> all = {
        {"run", "--credential", "http://host=Bearer canary"},
        {"run", "--credential", "http://host=canary-1"},
        {"run", "--proxy", "http://host", "--proxy-password", "canary"},
        {"run", "--proxy", "http://host", "--proxy-password", "canary!"},
    };
    for (const auto& arguments : all) {
        INFO(Catch::StringMaker<std::vector<std::string>>::convert(arguments));
        const finished_process done = waybill.run(arguments);
        CHECK(done.status.code == 2);
        CHECK_THAT(done.err, Catch::Contains("variable") && !Catch::Contains("canary"));
    }
}

TEST_CASE("without a home in the environment the store is in the user's own, wherever the command runs") {
    const temp_dir here;
    command_line what;
    what.argv = {"/usr/bin/env", "-u", "HOME", "-u", "XDG_STATE_HOME", command_path(), "--help"};
    what.directory = here.path();
    const finished_process done = run_process(what);
    CHECK(done.status.code == 0);
    CHECK_THAT(done.out, Catch::Contains("TEXT=/") && !Catch::Contains("TEXT=./"));
}

TEST_CASE("nothing that a person is told can make a terminal obey", "[escapes]") {
    const command waybill;
    // A red word, a window's title, a C1 control, a mark of direction, a byte that is no UTF-8, DEL.
    const std::string evil =
        "\033[31m\033]0;t\a\xC2\x9B"
        "2J\u202E\x9B\x7F";
    const auto is_clean = [](const std::string& text) {
        return text.find_first_of("\033\a\r\x7F") == std::string::npos && text.find("\u202E") == std::string::npos &&
               text.find('\x9B') == std::string::npos;
    };
    const std::string file = waybill.dir().write(evil + "/" + "good.bin", "content");
    const std::vector<std::vector<std::string>> all = {
        {evil},
        {"add", "--to", "http://host/", waybill.dir() / evil},
        {"add", "--to", "http://host/", waybill.dir() / (evil + "/missing")},
        {"add", "--to", "http://host/", file, "--" + evil},
        {"add", "--to", "http://host/" + evil, file},
        {"add", "--to", "http://host/", "--lane", evil, file},
        {"add", "--to", "http://host/", "--id", evil, file},
        {"add", "--to", "http://host/", "--via", evil, file},
        {"add", "--to", "http://host/", "--chunk-size", evil, file},
        {"add", "--to", "http://host/", "--set", evil, file},
        {"add", "--to", "http://host/", "--header", evil, file},
        {"show", evil},
        {"resolve", "x", evil},
        {"run", "--for", evil},
        {"run", "--ca", evil},
        {"run", "--credential", evil},
        {"run", "--credential", "http://host=" + evil},
        {"--store", evil + "/x", "list"},
    };
    for (const auto& arguments : all) {
        command_line what;
        what.argv = {command_path()};
        if (arguments[0] != "--store") {
            what.argv.insert(what.argv.end(), {"--store", waybill.store()});
        }
        what.argv.insert(what.argv.end(), arguments.begin(), arguments.end());
        what.directory = waybill.dir().path();
        const finished_process done = run_process(what);
        INFO(done.err);
        CHECK(is_clean(done.out + done.err));
        CHECK(lines_of(done.err).size() <= 2);
    }

    waybill.add({"--to", "http://127.0.0.1:1/", "--id", "trip", file});
    std::filesystem::remove(file);
    for (const std::string progress : {"bar", "json", "none"}) {
        const finished_process run = waybill.run({"run", "--for", "300ms", "--progress", progress});
        CHECK(is_clean(run.out + run.err));
    }
    const std::vector<std::vector<std::string>> looks = {
        {"list"}, {"list", "--json"}, {"show", "trip"}, {"show", "trip", "--json"}};
    for (const std::vector<std::string>& look : looks) {
        const finished_process done = waybill.run(look);
        CHECK(done.status.code == 0);
        CHECK_THAT(done.out, Catch::Contains("good.bin"));
        CHECK(is_clean(done.out + done.err));
    }
    command_line help;
    help.argv = {command_path(), "--help"};
    help.env = {{"XDG_STATE_HOME", "/" + evil}};
    CHECK(is_clean(run_process(help).out));
}

TEST_CASE("every command has help with an example and its exit codes") {
    const command waybill;
    for (const std::string name :
         {"add", "run", "list", "show", "cancel", "retry", "remove", "pause", "resume", "resolve"}) {
        INFO(name);
        const finished_process done = waybill.run({name, "--help"});
        CHECK(done.status.code == 0);
        CHECK_THAT(done.out,
                   Catch::Contains("\n  waybill " + name + " ") || Catch::Contains("\n  waybill " + name + "\n"));
        CHECK_THAT(done.out, Catch::Contains("Exit codes: 0"));
    }
}

TEST_CASE("help and version are no errors") {
    const command waybill;
    for (const std::string option : {"--help", "--version"}) {
        const finished_process done = waybill.run({option});
        CHECK(done.status.code == 0);
        CHECK(done.err.empty());
        CHECK_THAT(done.out, Catch::Contains("waybill"));
    }
}

TEST_CASE("what S3 cannot do is refused when the job is added") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    const auto to = [&](const std::string& url, const std::vector<std::string>& more) {
        std::vector<std::string> all = {"--via", "s3", "--to", url, file};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    const std::string url = "http://s3.test/bucket/a";
    check_all_refused(waybill,
                      {
                          {to(url, {"--part-size", "1000"}), "part-size = 1000", "correct or remove it"},
                          {to(url, {"--parallel", "0"}), "parallel = 0", "correct or remove it"},
                          {to(url, {"--checksum", "md5"}), "checksum = md5", "correct or remove it"},
                          {to(url, {"--set", "payload=unsigned"}), "only for https", "correct or remove it"},
                          {to(url + "?versionId=1", {}), "no query", "write it as"},
                          {to("http://s3.test/bucket/../a", {}), "segments . and ..", "write it as"},
                          {to(url, {"--header", "Content-MD5: x"}), "checksum of s3", "cannot be set on a job"},
                          {to(url, {"--field", "an album=x"}), "S3 metadata", "not a valid form field"},
                      });
}
