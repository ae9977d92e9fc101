"""A query that asks for every kind of thing a customer has."""

EVERYTHING = """
query Everything($first: Int!, $days: Int! = 7) {
  customers(first: $first, orderBy: {field: HEALTH, direction: DESC}) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges {
      cursor
      node {
        id name domain segment industry country employees csm { name email } becameCustomerOn createdAt updatedAt
        parent { name } children(first: 2) { totalCount nodes { name health { score } } }
        facts { mrr plan dau }
        health {
          score band computedScore computedBand definition previousBand coverage reason change30d asOf computedAt
          override { score by reason inForce }
          readings { measure group input unit value weight contribution missing reason }
        }
        churnRisk {
          probability annualised band horizon horizonDays modelVersion confidence asOf
          reasons { code text feature value effect direction }
        }
        churnRisks { probability band horizon confidence }
        override { score reason by setAt expiresOn withdrawnAt withdrawnBy inForce }
        overrides { totalCount nodes { score inForce } }
        sentiment { value reason by setAt expiresOn withdrawnAt withdrawnBy inForce }
        sentiments(first: 2) { nodes { value inForce } pageInfo { hasNextPage } }
        extraScorecards { name score band coverage reason asOf computedAt definitionHash readings { measure value } }
        rollup { score band method customers note asOf parts { customerId name score weight contribution } }
        usage {
          asOf dau wau mau meanDau stickiness trend
          series(days: $days) { day users events sessions minutes } features { feature events days lastDay }
        }
        contacts(first: 2) { nodes { email name title role lastSeenAt createdAt } pageInfo { hasNextPage } }
        tickets(first: 3, status: [OPEN]) {
          totalCount
          edges { cursor node { subject status severity createdAt solvedAt firstResponseMinutes resolutionMinutes url } }
          nodes { id source key syncedAt requesterEmail reopens replies customer { name } }
        }
        surveys(type: NPS) { nodes { type scale score comment respondentEmail respondedAt } }
        subscription { plan mrr currency seatsPurchased seatsUsed startedOn renewsOn endedOn autoRenew status }
        subscriptions { nodes { plan cancelledAt cancellationKind } }
        opportunities(stage: [OPEN]) {
          nodes { name type stage stageName amount currency closeOn createdAt ownerEmail }
        }
        scoreHistory(first: 2, from: "2026-01-01", to: "2026-12-31") {
          nodes {
            id asOf health band computedHealth computedBand definition override { score }
            previousBand coverage reason churnProbability churnAnnualised churnBand facts
            readings { measure } definitionHash computedAt
          }
        }
        alerts(state: [OPEN]) {
          nodes {
            id kind title reason severity state outcome ownerEmail dueOn snoozedUntil snoozed note openedAt updatedAt
            closedAt customer { name } run { playbook }
          }
        }
        playbookRuns {
          nodes {
            id playbook playbookVersion state cause startedBy step wakeAt facts error startedAt updatedAt finishedAt
            customer { name } steps { index action state detail doneAt }
            deliveries {
              id channel address subject payload state receipt error attempts reservedAt sentAt confirmedAt
              customer { name } run { playbook }
            }
          }
        }
        factsAt(asOf: "2026-10-20") { mrr plan }
        factHistory(first: 3, from: "2026-09-01", to: "2026-12-31") { nodes { asOf facts { mrr dau } } }
        scorecard(asOf: "2026-10-31") { id asOf band }
        timeline(first: 5, from: "2026-01-01T00:00:00Z") {
          totalCount nodes { id at kind title subjectId actor text } pageInfo { hasNextPage endCursor }
        }
        invoices(status: [OPEN]) {
          nodes { id number amount currency issuedOn dueOn paidAt failedAt attempts status overdue }
        }
        importedScores(source: "old", name: "Health") { nodes { id name value rawValue scale label scoredAt } }
        identity {
          id source key name domains externalKey parentKey state method reason decidedAt decidedBy syncedAt
          candidates { customerId customer { name } }
        }
        notes(first: 2) { totalCount nodes { id body by at editedAt editedBy } }
        csmAssignments { nodes { csmEmail csmName reason by at endedAt endedBy } }
        merges { nodes { id at by reason mergedId mergedName evidenceIds undoneAt undoneBy undoable } }
      }
    }
  }
}
"""
