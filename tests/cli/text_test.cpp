// SPDX-License-Identifier: BSL-1.0
#include "cli/text.hpp"

#include "support/catch.hpp"

#include <string>
#include <string_view>

using namespace cli;

namespace {

const bool known = (know_characters(), true);

}  // namespace

TEST_CASE("what is printed holds nothing that a terminal obeys", "[printable]") {
    CHECK(printable("holiday.jpg") == "holiday.jpg");
    CHECK(printable("Größe – 日本 😀 é") == "Größe – 日本 😀 é");
    CHECK(printable("a\033[31mb\a\r\n\t\x7F") == "a?[31mb?????");
    CHECK(printable("\xC2\x9B"
                    "31m") == "?31m");  // CSI as a C1 control
    CHECK(printable("\u202Egpj.exe\u202C \u2066x\u2069 \u200F \u061C \u2028") == "?gpj.exe? ?x? ? ? ?");
    CHECK(printable("a\U000E0041") == "a?");  // a tag: nobody sees it
}

TEST_CASE("bytes that are no UTF-8 are not printed, whatever a lenient reader would make of them", "[printable]") {
    CHECK(printable("\x9B"
                    "31m") == "?31m");          // CSI to a terminal that reads single bytes
    CHECK(printable("\xC0\x9B") == "??");       // overlong
    CHECK(printable("\xE0\x80\x9B") == "???");  // overlong
    CHECK(printable("\xF0\x80\x80\x9B") == "????");
    CHECK(printable("\xED\xA0\x80") == "???");  // a surrogate
    CHECK(printable("\xF4\x90\x80\x80") == "????");
    CHECK(printable("\xFF\xFE") == "??");
    CHECK(printable("caf\xC3") == "caf?");  // cut in two
    CHECK(printable("caf\xE9!") == "caf?!");
}

TEST_CASE("no text whatever brings a control through", "[printable]") {
    std::uint32_t random = 12345;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (int i = 0; i < 6; ++i) {
            random = random * 1664525U + 1013904223U;
            text += static_cast<char>(random >> 24);
        }
        const std::string shown = printable(text);
        CHECK(printable(shown) == shown);
        for (std::string_view rest = shown; !rest.empty();) {
            const character c = first_of(rest);
            REQUIRE_FALSE(is_unprintable(c.code));
            rest.remove_prefix(c.bytes.size());
        }
    }
}

TEST_CASE("lines of a text stay lines", "[printable]") {
    CHECK(printable_lines("one\ntwo\033[J\n\nthree") == "one\ntwo?[J\n\nthree");
    CHECK(printable_lines("").empty());
}

TEST_CASE("the width of a text is in columns, not in characters", "[width]") {
    REQUIRE(known);
    CHECK(width("") == 0);
    CHECK(width("holiday") == 7);
    CHECK(width("höst – é") == 8);
    CHECK(width("e\u0301") == 1);  // e and a combining accent
    CHECK(width("日本語") == 6);
    CHECK(width("한국") == 4);
    CHECK(width("😀") == 2);
    CHECK(width("▕█▏…") == 4);
}

TEST_CASE("what terminals disagree about is not drawn where columns count", "[width]") {
    // A family: man, joiner, woman, joiner, girl.
    const std::string family = "\U0001F468\u200D\U0001F469\u200D\U0001F467";
    CHECK(fit(family, 8) == "\U0001F468\U0001F469\U0001F467  ");
    CHECK(width(family) == 6);
    CHECK(fit("\U0001F44D\U0001F3FD!", 4) == "\U0001F44D! ");  // thumbs up, of a colour of skin
    CHECK(fit("\u2764\uFE0F", 2) == "\u2764 ");                // a heart, asked to be an emoji
}

TEST_CASE("what is fitted is exactly as wide as it was to be", "[width]") {
    for (const std::string_view text :
         {"", "a", "holiday in Norway.jpg", "日本語の名前.jpg", "😀😀😀😀😀😀", "e\u0301te\u0301", "\033[31mred",
          "\xFF\xFF\xFF", "\U0001F468\u200D\U0001F469 x"}) {
        for (std::size_t columns = 0; columns < 30; ++columns) {
            INFO(text << " in " << columns);
            const std::string shown = fit(text, columns);
            CHECK(width(shown) == columns);
            CHECK(width(cut(text, columns)) <= columns);
        }
    }
    CHECK(fit("holiday", 5) == "holi…");
    CHECK(fit("日本語", 4) == "日… ");  // half a character is none
    CHECK(fit("日本語", 5) == "日本…");
}

TEST_CASE("a text is shortened between two characters", "[printable]") {
    CHECK(shortened("short", 5) == "short");
    CHECK(shortened("longer", 5) == "longe…");
    CHECK(shortened("日本語", 4) == "日…");
    CHECK(shortened("日本語", 3) == "日…");
    CHECK(shortened("日本語", 0) == "…");
}

TEST_CASE("times are told as people tell them", "[duration]") {
    using std::chrono::seconds;
    CHECK(duration(seconds(59)) == "59 s");
    CHECK(duration(seconds(60)) == "1 min 00 s");
    CHECK(duration(seconds(3600)) == "1 h 00 min");
    CHECK(duration(seconds(7 * 86400 - 3600)) == "6 days 23 h");
    CHECK(duration(seconds(7 * 86400)) == "7 days");
}
