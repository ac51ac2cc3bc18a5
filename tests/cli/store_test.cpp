// SPDX-License-Identifier: BSL-1.0
#include "cli/command.hpp"
#include "support/catch.hpp"
#include "support/http_server.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

using namespace waybill::test;

namespace {

void check_all_commands_end_with(const command& waybill, int code, const std::string& cause,
                                 const std::string& remedy) {
    const std::string file = waybill.dir().write("a.bin", "content");
    const std::vector<std::vector<std::string>> commands = {
        {"add", "--to", "http://example.com/", file},
        {"run", "--until-idle", "--progress", "none"},
        {"list"},
        {"cancel", "some-id"},
    };
    for (const auto& arguments : commands) {
        INFO(arguments[0]);
        const finished_process done = waybill.run(arguments);
        CHECK(done.status.code == code);
        CHECK(done.out.empty());
        CHECK_THAT(done.err, Catch::Contains(cause) && Catch::Contains(remedy));
    }
}

void overwrite(const std::string& path, std::size_t at, const std::string& bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    REQUIRE(file.good());
}

}  // namespace

TEST_CASE("a second process on one store is told who has it, and disturbs nothing") {
    const command waybill;
    http_server server;
    valve go;
    server.next(script("hold").read_body(1000).hold(go));
    const std::string file = waybill.dir().write("b.bin", random_bytes(100'000));
    waybill.add({"--to", server.url("/"), file});

    process owner = waybill.start({"run", "--until-idle", "--progress", "none"}, waybill.dir() / "out");
    server.wait_for_body(1, 1000);
    check_all_commands_end_with(waybill, 3, "process " + std::to_string(owner.pid()), "stop it, or use another store");

    go.open();
    CHECK(owner.wait(std::chrono::seconds(60)) == exit_status{0, 0});
    CHECK(server.requests().size() == 1);
    CHECK(waybill.list().size() == 1);
}

TEST_CASE("a store that is no database is refused and not touched") {
    const command waybill;
    const std::string content = GENERATE("short", "", "long");
    const std::string before = content == "long" ? random_bytes(10'000)
                               : content.empty() ? std::string(200, '\0')
                                                 : content;
    waybill.dir().write("store/uploads.db", before);
    ::chmod((waybill.dir() / "store").c_str(), 0700);
    check_all_commands_end_with(waybill, 4, "is not a database", "restore it from a backup");
    CHECK(read_file(waybill.store()) == before);
}

TEST_CASE("a store with a broken page is refused and not touched") {
    const command waybill;
    const std::string file = waybill.dir().write("b.bin", "content");
    for (int i = 0; i < 20; ++i) {
        waybill.add({"--to", "http://example.com/" + std::string(300, 'x') + "/", file});
    }
    const auto size = static_cast<std::size_t>(std::filesystem::file_size(waybill.store()));
    REQUIRE(size > 8192);
    // Every page but the first, where a cheap look at the header would not see it.
    overwrite(waybill.store(), 4096, random_bytes(size - 4096));
    const std::string before = read_file(waybill.store());
    check_all_commands_end_with(waybill, 4, waybill.store(), "restore it from a backup");
    CHECK(read_file(waybill.store()) == before);
}

TEST_CASE("a store of a newer version is refused and not touched") {
    const command waybill;
    waybill.add({"--to", "http://example.com/", waybill.dir().write("b.bin", "content")});
    overwrite(waybill.store(), 60, std::string("\0\0\7\320", 4));  // user_version 2000: format 2.0
    const std::string before = read_file(waybill.store());
    check_all_commands_end_with(waybill, 4, "newer version", "update this program");
    CHECK(read_file(waybill.store()) == before);
}

TEST_CASE("another program's database is refused and not touched") {
    const command waybill;
    waybill.add({"--to", "http://example.com/", waybill.dir().write("b.bin", "content")});
    overwrite(waybill.store(), 68, "abcd");  // application_id
    const std::string before = read_file(waybill.store());
    check_all_commands_end_with(waybill, 5, "belongs to another program", "correct its path");
    CHECK(read_file(waybill.store()) == before);
}

TEST_CASE("a store that cannot be created is an error by name") {
    const command waybill;
    waybill.dir().write("store", "a file where the directory should be");
    check_all_commands_end_with(waybill, 5, "store", "correct its path or permissions");
}

TEST_CASE("a store in a directory where others may write is refused") {
    const command waybill;
    std::filesystem::create_directory(waybill.dir() / "store");
    ::chmod((waybill.dir() / "store").c_str(), 0777);
    check_all_commands_end_with(waybill, 5, waybill.dir() / "store", "remove their write permission");
    CHECK_FALSE(std::filesystem::exists(waybill.store()));
}

TEST_CASE("on a full disk nothing is half accepted, and with space again everything works") {
    const command waybill;
    // A file system of 1 MB of its own, which vanishes with the shell: room for the store and its
    // reserve, until a filler takes the rest; a job of 400 long names needs more than was left to it.
    const std::string dir = waybill.dir().path();
    std::string many;
    for (int i = 0; i < 400; ++i) {
        const std::string name = std::string(180, 'n') + std::to_string(i);
        many += " " + waybill.dir().write("f/" + name, "x");
    }
    waybill.dir().write("script.sh", R"(
        set -u
        cd "$1"; waybill=$2
        mkdir disk && mount -t tmpfs -o size=1m,mode=700 none disk || exit 77
        try() { "$waybill" --store disk/uploads.db "$@" >>out 2>>err; }
        try add --to http://example.com/ --id small f/*0
        echo "small: $?" >>codes
        head -c 2000000 /dev/zero >disk/filler 2>/dev/null
        try add --to http://example.com/ --id large f/*
        echo "large on a full disk: $?" >>codes
        try list
        echo "list on a full disk: $?" >>codes
        rm disk/filler
        try add --to http://example.com/ --id later f/*1
        echo "later: $?" >>codes
        "$waybill" --store disk/uploads.db list --json >list
    )");
    command_line shell;
    shell.argv = {"unshare", "--mount", "sh", dir + "/script.sh", dir, command_path()};
    if (::geteuid() != 0) {
        shell.argv.insert(shell.argv.begin() + 1, "--map-root-user");
    }
    const finished_process done = run_process(shell);
    if (done.status.code == 77 || !std::filesystem::exists(dir + "/codes")) {
        WARN("not checked: no file system may be mounted here: " << done.err);
        return;
    }
    INFO(read_file(dir + "/err"));
    CHECK(lines_of(read_file(dir + "/codes")) ==
          std::vector<std::string>{"small: 0", "large on a full disk: 5", "list on a full disk: 0", "later: 0"});
    CHECK_THAT(read_file(dir + "/err"), Catch::Contains("no space left for the store; free some disk space"));
    std::vector<std::string> ids;
    for (const auto& job : json_lines(read_file(dir + "/list"))) {
        ids.push_back(job["id"]);
        CHECK(job["items"].size() == 40);
    }
    CHECK(ids == std::vector<std::string>{"small", "later"});
}
