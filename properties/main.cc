#include "properties/cli.h"

int main(int argc, char** argv) {
  return poolproof::properties::run_cli(argc, argv);
}
