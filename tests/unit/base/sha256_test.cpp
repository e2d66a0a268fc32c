// Known answers of FIPS 180-4 (NIST's examples).
#include "models/base/sha256.h"

#include <gtest/gtest.h>

#include <string>

#include "models/base/error.h"

namespace brink {
namespace {

TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(sha256_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_of(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesMakeTheWhole) {
  const std::string text(200, 'x');
  for (const std::size_t cut : {1U, 55U, 56U, 63U, 64U, 65U, 128U}) {
    Sha256 hash;
    hash.add(std::string_view(text).substr(0, cut));
    hash.add(std::string_view(text).substr(cut));
    EXPECT_EQ(hash.hex(), sha256_of(text));
  }
}

TEST(Sha256, AFileThatIsNotThere) { EXPECT_THROW((void)sha256_of_file("/nowhere/at/all"), Error); }

}  // namespace
}  // namespace brink
