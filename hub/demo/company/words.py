"""The words the simulated company is made of: invented company names, people, titles, and what customers write."""

STEMS_FIRST = (
    "Alder", "Amber", "Arbor", "Aster", "Birch", "Brack", "Bright", "Cedar", "Clear", "Cobalt", "Copper", "Crest", "Dell",
    "Drift", "Eld", "Fallow", "Fern", "Glen", "Gran", "Hal", "Haven", "Hazel", "Iron", "Juni", "Kestrel", "Lark", "Linden",
    "Lumen", "Maple", "Marl", "Nor", "Oak", "Orchard", "Pell", "Quarry", "Rowan", "Sable", "Stone", "Tarn", "Thorn", "Umber",
    "Vale", "Wend", "Willow", "Wren", "Yarrow",
)  # fmt: skip
STEMS_LAST = (
    "bank", "bridge", "brook", "by", "croft", "dale", "den", "fell", "field", "ford", "gate", "ham", "ley", "mark", "mere",
    "more", "point", "row", "stead", "ton", "wick", "worth",
)  # fmt: skip
TRADES = {
    "Software": ("Systems", "Software", "Labs", "Cloud"),
    "Logistics": ("Logistics", "Freight", "Shipping"),
    "Retail": ("Stores", "Goods", "Trading"),
    "Manufacturing": ("Works", "Industries", "Components"),
    "Finance": ("Capital", "Insurance", "Payments"),
    "Healthcare": ("Health", "Care", "Clinics"),
    "Education": ("Learning", "Academy"),
    "Media": ("Media", "Studios", "Press"),
}
COUNTRIES = (  # name, share, hours ahead of UTC in which its people work
    ("United States", 0.42, -6),
    ("United Kingdom", 0.14, 0),
    ("Germany", 0.12, 1),
    ("Canada", 0.08, -5),
    ("Netherlands", 0.06, 1),
    ("France", 0.06, 1),
    ("Sweden", 0.05, 1),
    ("Brazil", 0.04, -3),
    ("Singapore", 0.03, 8),
)

GIVEN_NAMES = (
    "Ada", "Adrian", "Aisha", "Alba", "Amir", "Anika", "Anton", "Beatriz", "Ben", "Carla", "Chidi", "Clara", "Daniel", "Dana",
    "Diego", "Elena", "Elif", "Emma", "Erik", "Esther", "Farid", "Femi", "Fiona", "Gabriel", "Greta", "Hana", "Hugo", "Ines",
    "Iris", "Ivan", "Jamal", "Jana", "Joel", "Jonas", "Julia", "Kai", "Karin", "Kofi", "Lara", "Leo", "Lina", "Luca", "Maja",
    "Marco", "Maria", "Mei", "Milan", "Mina", "Nadia", "Nils", "Nora", "Olga", "Omar", "Oscar", "Paula", "Pia",
    "Priya", "Rafael", "Ravi", "Rosa", "Ruth", "Samir", "Sara", "Selma", "Sofia", "Stefan", "Tara", "Theo", "Tomas", "Uma",
    "Vera", "Victor", "Wei", "Yara", "Yusuf", "Zoe",
)  # fmt: skip
FAMILY_NAMES = (
    "Abbott", "Adeyemi", "Ahlberg", "Almeida", "Arslan", "Barros", "Becker", "Bianchi", "Brandt", "Calder", "Castro", "Chen",
    "Cohen", "Costa", "Dahl", "Demir", "Dubois", "Duarte", "Eriksen", "Fischer", "Fontaine", "Garcia", "Gomez", "Haddad",
    "Hansen", "Hartley", "Hoffmann", "Ibarra", "Ito", "Jansen", "Jensen", "Kaur", "Keller", "Khan", "Kimura", "Klein", "Kovac",
    "Kumar", "Larsen", "Leroy", "Lindqvist", "Lopez", "Maier", "Martin", "Mensah", "Meyer", "Moreau", "Morgan", "Nakata",
    "Ndiaye", "Nguyen", "Novak", "Okafor", "Olsen", "Ortega", "Park", "Pereira", "Petrov", "Quinn", "Rahman", "Reyes",
    "Rossi", "Sato", "Schmitt", "Serrano", "Sharma", "Silva", "Singh", "Sorensen", "Tanaka", "Torres", "Usman", "Vargas",
    "Vogel", "Walsh", "Weber", "Wong", "Yilmaz", "Zhang", "Zimmer",
)  # fmt: skip

SPONSOR_TITLES = (
    "Chief Operating Officer",
    "VP Operations",
    "Chief Technology Officer",
    "VP Finance",
    "Managing Director",
)
CHAMPION_TITLES = ("Head of Operations", "Director of Analytics", "Operations Manager", "Head of Reporting")
ADMIN_TITLES = ("Systems Administrator", "Data Engineer", "IT Manager")
USER_TITLES = (
    "Analyst", "Account Manager", "Planner", "Coordinator", "Business Analyst", "Controller", "Project Manager", "Specialist",
)  # fmt: skip

FEATURES = (  # event name, share of all use, how far into the product one must be to use it
    ("report_viewed", 0.25, -3.0),
    ("dashboard_opened", 0.22, -3.0),
    ("record_edited", 0.14, -2.0),
    ("report_created", 0.10, -1.0),
    ("comment_added", 0.07, -0.8),
    ("data_imported", 0.06, -0.5),
    ("export_downloaded", 0.05, -0.3),
    ("alert_configured", 0.035, 0.0),
    ("dashboard_shared", 0.03, 0.2),
    ("integration_synced", 0.02, 0.5),
    ("workflow_run", 0.015, 0.8),
    ("forecast_built", 0.008, 1.2),
    ("api_key_used", 0.007, 1.4),
)

SUBJECTS = {
    "low": ("How do I change the logo on a report", "Question about user roles", "Where is the export history", "Invoice copy"),
    "normal": (
        "Scheduled report did not arrive", "Import skips rows", "Dashboard shows last week's numbers",
        "Cannot share a dashboard", "Filter resets after saving",
    ),
    "high": (
        "Numbers differ between two reports", "Integration stopped syncing", "Users cannot sign in with SSO", "API answers 500",
    ),
    "urgent": (
        "All dashboards are empty", "Nobody can sign in", "Data of the last day is missing", "Reports fail for everyone",
    ),
}  # fmt: skip
CSAT_COMMENTS = {
    "good": ("Quick and friendly.", "Solved, thank you.", "Great explanation.", ""),
    "bad": ("Took far too long.", "I had to explain it three times.", "The answer did not help.", ""),
}
NPS_COMMENTS = {
    "promoter": ("It saves our team hours every week.", "We use it every day.", "Love the dashboards.", "", ""),
    "passive": ("Good, but imports could be smoother.", "Does what it says.", "A bit slow at times.", "", ""),
    "detractor": (
        "Too many bugs for the price.", "Support takes days to answer.", "We hardly use it any more.", "Hard to learn.", "",
    ),
}  # fmt: skip
