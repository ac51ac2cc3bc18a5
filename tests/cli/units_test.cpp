// SPDX-License-Identifier: BSL-1.0
#include "cli/units.hpp"

#include "cli/media_type.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <sstream>
#include <string>

using namespace cli;
using namespace std::chrono_literals;

TEST_CASE("sizes are read as the coreutils read them", "[units]") {
    CHECK(parse_size("0") == 0U);
    CHECK(parse_size("8388608") == 8'388'608U);
    CHECK(parse_size("100B") == 100U);
    CHECK(parse_size("512k") == 524'288U);
    CHECK(parse_size("512K") == 524'288U);
    CHECK(parse_size("8M") == 8'388'608U);
    CHECK(parse_size("5MiB") == 5'242'880U);
    CHECK(parse_size("5MB") == 5'000'000U);
    CHECK(parse_size("1.5G") == 1'610'612'736U);
    CHECK(parse_size("2TiB") == 2'199'023'255'552U);
    for (const std::string wrong : {"", "M", "8 M", "-1", "+1", "8X", "8Mi", "8MBB", "1.2.3M", ".5M", "0.3", "1e3",
                                    "0x10", "9999999T", "inf", "nan", "8M "}) {
        INFO(wrong);
        CHECK_FALSE(parse_size(wrong));
    }
}

TEST_CASE("times are read with their units, one or several", "[units]") {
    CHECK(parse_duration("500ms") == 500ms);
    CHECK(parse_duration("90s") == 90s);
    CHECK(parse_duration("90") == 90s);
    CHECK(parse_duration("1.5") == 1500ms);
    CHECK(parse_duration("10m") == 10min);
    CHECK(parse_duration("10min") == 10min);
    CHECK(parse_duration("2h") == 2h);
    CHECK(parse_duration("1h30m") == 90min);
    CHECK(parse_duration("7d") == 168h);
    CHECK(parse_duration("0s") == 0ms);
    for (const std::string wrong :
         {"", "s", "-1s", "10x", "10 m", "1h30", "m10", "1..5s", "1e9s", "99999999d", "nan"}) {
        INFO(wrong);
        CHECK_FALSE(parse_duration(wrong));
    }
}

TEST_CASE("a file's media type is the system's, then our own, by its extension", "[media type]") {
    std::istringstream table("# a comment\n\nimage/x-ours\tJPG  jpe # and why\nvideo/none\n  text/x-two two\n");
    const media_types types(table);
    CHECK(types.of("/a/b.jpg") == "image/x-ours");
    CHECK(types.of("b.JPE") == "image/x-ours");
    CHECK(types.of("b.two") == "text/x-two");
    CHECK(types.of("b.png") == "image/png");
    CHECK(types.of("archive.tar.gz") == "application/gzip");
    for (const std::string unknown : {"", "plain", ".png", "dir.png/plain", "a.", "a.unknown", "a.and"}) {
        INFO(unknown);
        CHECK(types.of(unknown) == "application/octet-stream");
    }
}

TEST_CASE("without the system's table the common types are known", "[media type]") {
    std::istringstream none;
    const media_types types(none);
    CHECK(types.of("a.jpeg") == "image/jpeg");
    CHECK(types.of("a.MOV") == "video/quicktime");
    CHECK(types.of("a.bin") == "application/octet-stream");
}
