// SPDX-License-Identifier: Apache-2.0
// What of other firewalls the packets of containers meet: who has chains in the forward hook, which
// of them drop, whether there is nftables at all. It reads only.
import { HOST } from "../../host/kernel";
import { chain_list } from "../../host/nft";
import { family_word, TABLE } from "../../nft/batch";
import { closed_chains } from "../../nft/closed";
import { FORWARD } from "../../nft/firewall";
import { legacy_used } from "../../nft/legacy";
import { nft_error, unsupported } from "../../nft/present";
import { Findings, Severity, some_of } from "./findings";

export function firewalls_look(findings: Findings): void {
  const bases = chain_list(HOST, FORWARD.hooknum);
  if (!bases) {
    if (!unsupported()) return findings.miss(nft_error("list the chains of the forward hook"));
    return findings.tell(
      "nftables-missing",
      Severity.Warning,
      "this kernel has no nftables: ipMasq, portmap, firewall and macspoofchk fail",
      "modprobe nf_tables, or take a kernel that has it (CONFIG_NF_TABLES)",
    );
  }
  const others = new Array<string>();
  for (let i = 0; i < bases.length; i++) {
    const name = `${family_word(bases[i].family)} ${bases[i].table}`;
    if (bases[i].table != TABLE && !others.includes(name)) others.push(name);
  }
  if (others.length > 0) {
    findings.tell(
      "firewall-others",
      Severity.Info,
      `what is forwarded passes tables of others too: ${some_of(others)}`,
      'nothing is wrong with that; "nft list ruleset" has their rules',
    );
  }
  if (legacy_used()) {
    findings.tell(
      "firewall-legacy",
      Severity.Info,
      "iptables-legacy has a table filter: nftables does not show its rules",
      '"iptables-legacy -S FORWARD" has them; with iptables-nft there is one place to look',
    );
  }
  closed_look(findings);
}

/** Chains that end in a drop: what our firewall accepts is lost there. */
function closed_look(findings: Findings): void {
  const closed = closed_chains();
  const error = closed.error;
  if (error) findings.miss(error);
  for (let i = 0; i < closed.list.length; i++) {
    const chain = closed.list[i];
    const severity = chain.certain ? Severity.Error : Severity.Warning;
    findings.tell("forward-closed", severity, chain.text, chain.advice);
  }
}
